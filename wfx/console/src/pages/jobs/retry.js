// Many jobs created once more: which ones is settled by the look, so that the new ones are not taken for old ones.

import { get, request } from "../../lib/api.js";
import { FLEET } from "../../lib/base.js";
import { copyOf } from "../../lib/job_copy.js";
import { number, strings } from "../../lib/strings.en.js";
import { patiently, sent } from "./bulk.js";

/** @typedef {import("./bulk.js").Which} Which */
/** @typedef {import("./bulk.js").Item} Item */
/** @typedef {import("./bulk.js").Result} Result */
/** @typedef {import("./bulk.js").Seen} Seen */
/** @typedef {{ id: string, text?: string, error?: { message: string } }} Copy */

const MOST = 10_000; // jobs that are created once more at a time
const SLICE = 20; // jobs of one request, whose definitions go with it
const SHOWN = 20;

/** Finds the jobs; nothing is created. @param {Which} which @returns {Promise<Seen>} */
export async function lookAtRetry(which) {
  if ("selection" in which) {
    const rows = await readAll(which.selection);
    return { count: rows.length, failed: 0, items: rows.slice(0, SHOWN), ids: rows.map(({ id }) => String(id)) };
  }
  const { ids } = which;
  if (ids.length > MOST) throw new Error(strings.bulk.tooMany(number(MOST)));
  const items = await Promise.all(ids.slice(0, SHOWN).map((id) => get(`${FLEET}/jobs/${id}`).catch((error) => ({ id, error }))));
  return { count: ids.length, failed: items.filter((item) => item.error).length, items, ids };
}

/** All jobs that meet conditions, up to MOST. @param {Record<string, string | string[]>} selection */
export async function readAll(selection) {
  /** @type {Item[]} */
  const rows = [];
  for (let after = ""; ; ) {
    const page = await get(`${FLEET}/jobs`, { ...selection, limit: 1000, after });
    rows.push(...page.content);
    if (rows.length > MOST) throw new Error(strings.bulk.tooMany(number(MOST)));
    if (!page.next) return rows;
    after = page.next;
  }
}

/**
 * Creates them slice by slice; each result names the job that it was made from.
 * @param {readonly string[]} ids @param {(result: Result) => void} tell @param {() => boolean} stopped
 * @param {(id: string) => Promise<Copy>} [copy] @param {import("./bulk.js").Send} [send] @returns {Promise<Result>}
 */
export async function retryAll(ids, tell, stopped, copy = readCopy, send = request) {
  /** @type {Result} */
  const result = { count: ids.length, done: 0, failed: 0, items: [], stopped: false };
  for (let from = 0; from < ids.length; from += SLICE) {
    if (stopped()) return { ...result, stopped: true };
    const copies = await Promise.all(ids.slice(from, from + SLICE).map(copy));
    const lost = copies.filter(({ text }) => text === undefined);
    const found = copies.filter(({ text }) => text !== undefined);
    result.failed += lost.length;
    result.items.push(...lost.map(({ id, error }) => ({ retryOf: id, clientId: id, ...(error && { error }) })));
    if (found.length > 0) {
      const { data } = await sent(`${FLEET}/jobs:batch`, { text: `{"jobs":[${found.map(({ text }) => text).join(",")}]}` }, send);
      result.done += data.done;
      result.failed += data.failed;
      result.items.push(...data.items.map((/** @type {Item} */ item, /** @type {number} */ at) => ({ ...item, retryOf: found[at]?.id })));
    }
    tell({ ...result });
  }
  return result;
}

/** What creates a job once more, or why that is not known. @param {string} id @returns {Promise<Copy>} */
async function readCopy(id) {
  try {
    const job = await patiently(() => get(`${FLEET}/jobs/${id}`));
    return { id, text: await patiently(() => copyOf(job)) };
  } catch (error) {
    return { id, error: { message: /** @type {Error} */ (error).message } };
  }
}
