// What the jobs of the last hours came to: how many were created in each, and where those that changed last in it are now.

import { FLEET } from "../../lib/base.js";
import { get } from "../../lib/api.js";
import { jobsIn } from "../../lib/job_counts.js";

/** @typedef {import("../../lib/job_counts.js").Count} Count */
/** @typedef {import("../../lib/job_counts.js").Summary} Summary */
/** @typedef {{ start: number, created: number, closed: number, failed: number, ended: number }} Hour `start` in milliseconds; `ended` are all that are not open any more */

export const HOURS = 24;
export const HOUR = 3_600_000; // milliseconds
const LATE = 60_000; // milliseconds after an hour in which jobs of it may still come to be known
const REQUESTS = 2; // for an hour
const MOST_ROWS = 5_000_000; // jobs that the service looks at unasked for all hours: a second or so for each million

/** The beginnings of the last hours, the oldest first. @param {number} now milliseconds @returns {number[]} */
export function hoursBefore(now) {
  const last = Math.floor(now / HOUR) * HOUR;
  return Array.from({ length: HOURS }, (_, index) => last - (HOURS - 1 - index) * HOUR);
}

/** @param {number} start @param {readonly Count[]} changed @param {number} created @returns {Hour} */
export function hourOf(start, changed, created) {
  const all = changed.reduce((sum, { jobs }) => sum + jobs, 0);
  return { start, created, closed: jobsIn(changed, "CLOSED"), failed: jobsIn(changed, "FAILED"), ended: all - jobsIn(changed, "OPEN") };
}

/** How many jobs were open at the end of each hour, as far as those that there still are tell. @param {readonly Hour[]} hours @param {number} open now @returns {number[]} */
export function openAt(hours, open) {
  let left = open;
  const found = hours.toReversed().map(({ created, ended }) => {
    const atEnd = left;
    left += ended - created;
    return Math.max(0, atEnd);
  });
  return found.reverse();
}

/** Reads one hour. @param {number} start @param {AbortSignal} signal @returns {Promise<Hour>} */
async function readHour(start, signal) {
  const between = (/** @type {string} */ what) => ({
    [`${what}After`]: new Date(start).toISOString(),
    [`${what}Before`]: new Date(start + HOUR).toISOString(),
  });
  const read = async (/** @type {string} */ what) =>
    /** @type {Summary} */ (await get(`${FLEET}/jobs/summary`, between(what), signal));
  const changed = await read("modified");
  const created = await read("created");
  return hourOf(start, changed.counts, created.total);
}

/** How many hours may be read unasked of a store with so many jobs: to count by time the service looks at each job. @param {number} jobs */
export function affordable(jobs) {
  return Math.min(HOURS, Math.floor(MOST_ROWS / (REQUESTS * Math.max(1, jobs))));
}

/** The last hours. Those that are over are read once, as long as this tab is there. */
export class Hours {
  /** @param {(start: number, signal: AbortSignal) => Promise<Hour>} [read] */
  constructor(read = readHour) {
    this.readOne = read;
    /** @type {Map<number, Hour>} */
    this.over = new Map();
  }

  /**
   * Reads the newest hours one after the other, so that the service has others to answer meanwhile.
   * @param {number} now milliseconds @param {number} most @param {AbortSignal} signal @param {(hours: Hour[]) => void} show
   */
  async read(now, most, signal, show) {
    const starts = hoursBefore(now);
    for (const start of this.over.keys()) if (start < (starts[0] ?? 0)) this.over.delete(start);
    /** @type {Hour[]} */
    const found = [];
    for (const start of starts.reverse().slice(0, most)) {
      const hour = this.over.get(start) ?? (await this.readOne(start, signal));
      if (now >= start + HOUR + LATE) this.over.set(start, hour);
      found.unshift(hour);
      if (found.length === most || found.length % 6 === 0) show([...found]);
    }
  }
}
