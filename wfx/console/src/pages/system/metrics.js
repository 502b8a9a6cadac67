// The text of /metrics as numbers. No browser: also used by the tests.

/** @typedef {{ labels: Record<string, string>, value: number }} Sample */
/** @typedef {Map<string, Sample[]>} Metrics by name */
/** @typedef {{ at: number, metrics: Metrics }} Look `at` in milliseconds */

const LINE = /^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** @param {string} text @returns {Metrics} */
export function metricsOf(text) {
  /** @type {Metrics} */
  const found = new Map();
  for (const line of text.split("\n")) {
    const parts = line.startsWith("#") || line.includes("_bucket{") ? null : LINE.exec(line);
    if (!parts) continue;
    const [, name = "", labels = "", value = ""] = parts;
    const samples = found.get(name) ?? [];
    samples.push({ labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, key, each = ""]) => [key, unescaped(each)])), value: Number(value) });
    found.set(name, samples);
  }
  return found;
}

/** @param {string} text */
function unescaped(text) {
  return text.replace(/\\(.)/g, (_, character) => (character === "n" ? "\n" : character));
}

/** The sum of those samples that a condition keeps. @param {Metrics} metrics @param {string} name @param {(labels: Record<string, string>) => boolean} [keeps] */
export function sum(metrics, name, keeps = () => true) {
  return (metrics.get(name) ?? []).reduce((all, { labels, value }) => all + (keeps(labels) ? value : 0), 0);
}

/** How much a counter has grown in each second between looks; one that begins anew counts from zero. @param {readonly Look[]} looks @param {(metrics: Metrics) => number} count @returns {number[]} */
export function rates(looks, count) {
  return between(looks, (one, other) => {
    const seconds = (other.at - one.at) / 1000;
    return seconds > 0 ? grown(count(one.metrics), count(other.metrics)) / seconds : 0;
  });
}

/** What one thing took on average between looks: the sum of a histogram by its count. @param {readonly Look[]} looks @param {string} name @returns {number[]} */
export function averages(looks, name) {
  return between(looks, (one, other) => {
    const count = grown(sum(one.metrics, `${name}_count`), sum(other.metrics, `${name}_count`));
    return count > 0 ? grown(sum(one.metrics, `${name}_sum`), sum(other.metrics, `${name}_sum`)) / count : 0;
  });
}

/** @param {readonly Look[]} looks @param {(one: Look, other: Look) => number} value */
function between(looks, value) {
  return looks.slice(1).map((look, index) => value(/** @type {Look} */ (looks[index]), look));
}

/** @param {number} before @param {number} after */
function grown(before, after) {
  return after >= before ? after - before : after;
}
