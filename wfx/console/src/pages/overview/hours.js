// What the jobs of the last hours came to: how many were created in each, and where those that changed last in it are now.

import { FLEET } from "../../lib/base.js";
import { get } from "../../lib/api.js";

/** @typedef {import("../../lib/job_counts.js").Count} Count */
/** @typedef {import("../../lib/job_counts.js").Summary} Summary */
/** @typedef {{ start: number, created: number, closed: number, failed: number }} Hour `start` in milliseconds */

export const HOURS = 24;
export const HOUR = 3_600_000; // milliseconds

/** The beginnings of the last hours, the oldest first. @param {number} now milliseconds @returns {number[]} */
export function hoursBefore(now) {
  const last = Math.floor(now / HOUR) * HOUR;
  return Array.from({ length: HOURS }, (_, index) => last - (HOURS - 1 - index) * HOUR);
}

/** @param {number} start @param {readonly Count[]} changed @param {number} created @returns {Hour} */
export function hourOf(start, changed, created) {
  const sum = (/** @type {string} */ group) => changed.reduce((all, each) => all + (each.group === group ? each.jobs : 0), 0);
  return { start, created, closed: sum("CLOSED"), failed: sum("FAILED") };
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

/** Reads the last hours one after the other, so that the service has others to answer meanwhile. @param {number} now @param {AbortSignal} signal @param {(hours: Hour[]) => void} show */
export async function readHours(now, signal, show) {
  /** @type {Hour[]} */
  const found = [];
  for (const start of hoursBefore(now).reverse()) {
    found.unshift(await readHour(start, signal));
    if (found.length === HOURS || found.length % 6 === 0) show([...found]);
  }
}
