// Many jobs at once: looked at first, then done slice by slice, each of which can be sent again if its answer was lost.

import { newKey, request } from "../../lib/api.js";
import { FLEET } from "../../lib/base.js";

/** @typedef {{ kind: "update", status: { state: string, message?: string } } | { kind: "tag", add: string[], remove: string[] } | { kind: "delete" | "retry" }} Work */
/** @typedef {{ ids: string[] } | { selection: Record<string, string | string[]> }} Which */
/** @typedef {{ id?: string, clientId?: string, state?: string, outcome?: string, retryOf?: string | undefined, error?: { message: string } }} Item */
/** @typedef {{ count: number, done: number, failed: number, items: Item[], stopped: boolean }} Result */
/** @typedef {{ count: number, failed: number, items: Item[], ids?: string[] }} Seen what a look has found; the jobs themselves if they are settled by it */
/** @typedef {(path: string, options: import("../../lib/api.js").Options) => Promise<{ data: any }>} Send */

const SLICE = 1000; // jobs of one request
const TRIES = 5; // of a slice whose answer did not come
const EVERYTHING = { createdAfter: "1970-01-01T00:00:00Z" };

/** The jobs that meet conditions; without any, all. @param {Record<string, string | string[]>} conditions @returns {Which} */
export function selectionOf(conditions) {
  const given = Object.entries(conditions).filter(([, value]) => value.length > 0);
  return { selection: given.length > 0 ? Object.fromEntries(given) : EVERYTHING };
}

/** @param {Work} work */
function bodyOf(work) {
  if (work.kind === "update") return { status: work.status };
  if (work.kind !== "tag") return {};
  return { ...(work.add.length > 0 && { add: work.add }), ...(work.remove.length > 0 && { remove: work.remove }) };
}

/** Tells what would be done: how many jobs, the first of them, and how many could not be changed. @param {Work} work @param {Which} which @param {Send} [send] */
export async function look(work, which, send = request) {
  const body = { ...bodyOf(work), ...("ids" in which ? { ids: which.ids.slice(0, 10_000) } : which), dryRun: true };
  return /** @type {Seen} */ ((await send(`${FLEET}/jobs:${work.kind}`, { method: "POST", body })).data);
}

/**
 * Does it. Tells after each slice how far it is; ends before the next one once `stopped` says so.
 * @param {Work} work
 * @param {Which} which
 * @param {number} count how many jobs there are, as was looked at
 * @param {(result: Result) => void} tell
 * @param {() => boolean} stopped
 * @param {Send} [send]
 * @returns {Promise<Result>}
 */
export async function carryOut(work, which, count, tell, stopped, send = request) {
  /** @type {Result} */
  const result = { count, done: 0, failed: 0, items: [], stopped: false };
  /** @type {{ after?: string, expect: number } | undefined} */
  let place = { expect: count };
  for (let from = 0; place; from += SLICE) {
    if (stopped()) return { ...result, stopped: true };
    const part = "ids" in which ? { ids: which.ids.slice(from, from + SLICE) } : { ...which, ...place, limit: SLICE };
    const { data } = await sent(`${FLEET}/jobs:${work.kind}`, { body: { ...bodyOf(work), ...part } }, send);
    result.done += data.done;
    result.failed += data.failed;
    result.items.push(...data.items);
    tell({ ...result });
    if ("ids" in which) place = from + SLICE < which.ids.length ? { expect: count } : undefined;
    else place = data.next ? { after: data.next, expect: data.rest } : undefined;
  }
  return result;
}

/** Sends a slice, again with the same key if no answer came. @param {string} path @param {{ body: object } | { text: string }} content @param {Send} send */
export function sent(path, content, send) {
  const idempotencyKey = newKey();
  return patiently(() => send(path, { method: "POST", ...content, idempotencyKey }));
}

/** Does something again if no answer came, or a busy service asks for that. @template Answer @param {() => Promise<Answer>} run @returns {Promise<Answer>} */
export async function patiently(run) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      const { status = -1, retryAfter = 0 } = /** @type {{ status?: number, retryAfter?: number }} */ (error);
      if (tries >= TRIES || ![0, 409, 429, 503].includes(status)) throw error;
      await new Promise((later) => setTimeout(later, 1000 * Math.max(1, retryAfter)));
    }
  }
}
