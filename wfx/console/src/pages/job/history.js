// The past of a job: what was changed when, how long it was in each state, and what the changes were.

/** @typedef {{ state: string, clientId?: string, message?: string, progress?: number, context?: any }} Status */
/** @typedef {{ mtime: string, status: Status, definition?: any }} Version */
/** @typedef {{ kind: "+" | "-" | "~", path: string, from?: unknown, to?: unknown }} Change */
/** @typedef {{ at: string, who: string, from: string, to: string, changes: Change[], left: number, definition: boolean }} Row */

const MOST = 20; // changes of one row that are shown

/**
 * The rows of the history, newest first.
 * @param {{ mtime: string, stime: string, status: Status, history?: Version[] }} job
 * @returns {Row[]}
 */
export function rowsOf(job) {
  const versions = [{ mtime: job.mtime, status: job.status }, ...(job.history ?? [])];
  return versions.map((version, index) => {
    const before = versions[index + 1];
    const all = before ? differences(before.status, version.status) : [];
    return {
      at: version.mtime,
      who: version.status.clientId ?? "",
      from: before?.status.state ?? "",
      to: version.status.state,
      changes: all.slice(0, MOST),
      left: Math.max(0, all.length - MOST),
      definition: before !== undefined && "definition" in before,
    };
  });
}

/** The states in the order in which the job was in them. @param {Row[]} rows */
export function pathOf(rows) {
  /** @type {string[]} */
  const path = [];
  for (const row of rows.toReversed()) if (path.at(-1) !== row.to) path.push(row.to);
  return path;
}

/** Seconds in each state; the present one counts until now. @param {Row[]} rows @param {number} now milliseconds @returns {Map<string, number>} */
export function timesOf(rows, now) {
  /** @type {Map<string, number>} */
  const found = new Map();
  let until = now;
  for (const row of rows) {
    const at = Date.parse(row.at);
    found.set(row.to, (found.get(row.to) ?? 0) + Math.max(0, until - at) / 1000);
    until = at;
  }
  return found;
}

/** When the job came to its present state. @param {Row[]} rows */
export function sinceOf(rows) {
  const first = rows[0];
  let since = first;
  for (const row of rows) {
    if (row.to !== first?.to) break;
    since = row;
  }
  return since?.at;
}

/** What is different between two statuses, the state and what the server counts aside. @param {Status} before @param {Status} after @returns {Change[]} */
export function differences(before, after) {
  const skipped = new Set(["state", "clientId", "definitionHash"]);
  const strip = (/** @type {Status} */ status) => Object.fromEntries(Object.entries(status).filter(([name]) => !skipped.has(name)));
  /** @type {Change[]} */
  const found = [];
  compare("", strip(before), strip(after), found, 0);
  return found;
}

/** @param {string} path @param {any} before @param {any} after @param {Change[]} found @param {number} depth */
function compare(path, before, after, found, depth) {
  if (found.length > 1000 || before === after) return;
  if (depth < 20 && isObject(before) && isObject(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const inner = path ? `${path}.${name}` : name;
      if (!Object.hasOwn(after, name)) found.push({ kind: "-", path: inner, from: before[name] });
      else if (!Object.hasOwn(before, name)) found.push({ kind: "+", path: inner, to: after[name] });
      else compare(inner, before[name], after[name], found, depth + 1);
    }
  } else if (JSON.stringify(before) !== JSON.stringify(after)) found.push({ kind: "~", path, from: before, to: after });
}

/** @param {unknown} value */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
