// When each job of a device was at work, as bars in rows in which none covers another.

/** @typedef {import("./state.js").Job} Job */
/** @typedef {{ job: Job, left: number, width: number, row: number }} Span `left` and `width` in percent of the time since the first one */

const MOST_ROWS = 6; // jobs at the same time beyond these share the last row

/** @param {readonly Job[]} jobs @param {number} now milliseconds @returns {Span[]} */
export function spansOf(jobs, now) {
  const times = jobs.map((job) => ({ job, start: Date.parse(job.stime), end: isOpen(job) ? now : Date.parse(job.mtime) }));
  times.sort((one, other) => one.start - other.start);
  const first = times[0]?.start ?? now;
  const whole = Math.max(1, now - first);
  const percent = (/** @type {number} */ time) => (100 * Math.max(0, time)) / whole;
  /** @type {number[]} */
  const ends = []; // of the last job in each row
  return times.map(({ job, start, end }) => {
    const free = ends.findIndex((last) => last <= start);
    const row = free >= 0 ? free : Math.min(ends.length, MOST_ROWS - 1);
    ends[row] = Math.max(end, ends[row] ?? 0);
    return { job, left: percent(start - first), width: percent(end - start), row };
  });
}

/** A job that is in no group may go on, as far as anybody knows. @param {Job} job */
function isOpen({ group }) {
  return group === "OPEN" || group === "";
}
