// Events in memory, newest first, each with the state before it where the events that are there tell it.

import { numberOf } from "../../lib/live_stream.js";

/** @typedef {import("../../lib/live.js").LiveEvent} LiveEvent */
/** @typedef {LiveEvent & { from?: string }} Row */

export class Log {
  constructor() {
    /** @type {Row[]} */
    this.rows = [];
    /** @type {Map<string, string>} the newest state of each job */
    this.last = new Map();
    /** @type {Map<string, Row>} the oldest event of each job that has a state */
    this.earliest = new Map();
  }

  /** Adds what happened after all others. @param {readonly LiveEvent[]} events the oldest first */
  newer(events) {
    /** @type {Row[]} */
    const added = [];
    for (const event of events) {
      const row = { ...event };
      added.push(row);
      if (event.action === "DELETE") this.last.delete(event.job.id);
      this.note(row);
    }
    this.rows.unshift(...added.reverse());
  }

  /** @param {Row} row */
  note(row) {
    const { id, state } = row.job;
    if (state === undefined) return;
    const before = this.last.get(id);
    if (before !== undefined) row.from = before;
    if (!this.earliest.has(id)) this.earliest.set(id, row);
    this.last.set(id, state);
  }

  /** Adds what happened before all others. @param {readonly LiveEvent[]} events the oldest first */
  older(events) {
    for (const event of events.toReversed()) {
      const row = /** @type {Row} */ ({ ...event });
      this.rows.push(row);
      const { id, state } = row.job;
      if (state === undefined) continue;
      const later = this.earliest.get(id);
      if (later) later.from = state;
      else if (!this.last.has(id)) this.last.set(id, state);
      this.earliest.set(id, row);
    }
  }

  /** Forgets the oldest ones beyond so many; returns the number of the oldest event that is left. @param {number} most */
  cut(most) {
    for (const { job } of this.rows.splice(most)) this.earliest.delete(job.id);
    return numberOf(this.rows.at(-1)?.id ?? "0");
  }
}
