// How many events came in each of the last seconds.

/** Counts by second in a ring. */
export class EventRate {
  /** @param {number} seconds how many are kept */
  constructor(seconds) {
    /** @type {number[]} */
    this.counts = new Array(seconds).fill(0);
    this.second = 0;
  }

  /** @param {number} now milliseconds @param {number} events */
  add(now, events) {
    this.advance(now);
    const last = this.counts.length - 1;
    this.counts[last] = (this.counts[last] ?? 0) + events;
  }

  /** The counts up to now, the oldest first. @param {number} now milliseconds @returns {readonly number[]} */
  until(now) {
    this.advance(now);
    return this.counts;
  }

  /** @param {number} now */
  advance(now) {
    const second = Math.floor(now / 1000);
    const passed = this.second === 0 ? 0 : Math.min(Math.max(0, second - this.second), this.counts.length);
    this.counts = [...this.counts.slice(passed), ...new Array(passed).fill(0)];
    this.second = Math.max(this.second, second);
  }
}
