// Reads the log back in time, though the service reads it forwards: numbers have no gaps, so one can begin before.

import { numberOf, slimmed } from "../../lib/live_stream.js";

/** @typedef {import("../../lib/live.js").LiveEvent} LiveEvent */
/** @typedef {(since: string) => Promise<{ content: { id: string, event: any }[], next: string }>} Read */

const WIDER = 8; // times as many numbers are looked at where few events fit
const WIDEST = 100_000;

/**
 * Finds some of the events before one, the oldest first. `begin` is the number from which on all were looked at.
 * @param {Read} read a page of the log
 * @param {string} log its identity
 * @param {number} before the number of that event
 * @param {number} width how many numbers to look at first
 */
export async function readBefore(read, log, before, width) {
  /** @type {LiveEvent[]} */
  let events = [];
  let begin = before;
  let looked = width;
  let complete = begin <= 1;
  while (!complete && events.length === 0) {
    const from = Math.max(0, begin - 1 - looked);
    const part = await readRange(read, log, from, begin);
    events = [...part.events, ...events];
    begin = part.begin;
    complete = begin <= 1 || part.complete;
    looked = Math.min(WIDEST, looked * WIDER);
  }
  return { events, begin, complete };
}

/** The events after one number and before another. @param {Read} read @param {string} log @param {number} from @param {number} before */
async function readRange(read, log, from, before) {
  /** @type {LiveEvent[]} */
  const events = [];
  let oldest = from + 1;
  let since = `${log}-${from}`;
  for (let page = await started(); ; page = await read(since)) {
    for (const { id, event } of page.content) if (numberOf(id) < before) events.push(slimmed(id, event));
    if (!page.next || numberOf(page.next) >= before - 1 || page.next === since) break;
    since = page.next;
  }
  return { events, begin: Math.min(oldest, before), complete: oldest > from + 1 };

  async function started() {
    try {
      return await read(since);
    } catch (error) {
      const { status, data } = /** @type {{ status?: number, data?: any }} */ (error);
      if (status !== 410 || typeof data?.oldest !== "number") throw error;
      oldest = data.oldest;
      since = `${log}-${oldest - 1}`;
      return read(since);
    }
  }
}
