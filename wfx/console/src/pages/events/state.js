// The state of the list of events: what happens, and what happened before, page by page.

import { signal } from "@preact/signals";
import { get, isAbort } from "../../lib/api.js";
import { API, FLEET } from "../../lib/base.js";
import { follow } from "../../lib/live.js";
import { logOf, numberOf } from "../../lib/live_stream.js";
import { conditions, fits } from "./filters.js";
import { Log } from "./log.js";
import { readBefore } from "./older.js";

/** @typedef {import("../../lib/live.js").LiveEvent} LiveEvent */
/** @typedef {import("./filters.js").Filters} Filters */

const WIDTH = 200; // events that are read at a time
const LIMIT = 1000; // of one answer
const MOST_ROWS = 20_000; // that follow what happens; older ones are read again when they are wanted
const MOST_WAITING = 5000;

export class EventsState {
  /** @param {Filters} filters @param {() => boolean} holds tells whether rows may not move now */
  constructor(filters, holds) {
    this.filters = filters;
    this.holds = holds;
    this.log = new Log();
    /** Increased with each change of the rows, which are changed in place. */
    this.version = signal(0);
    this.error = signal(/** @type {unknown} */ (undefined));
    this.loading = signal(false);
    /** How many events there are that the list does not show yet. */
    this.fresh = signal(0);
    /** @type {LiveEvent[]} */
    this.waiting = [];
    this.identity = "";
    this.begin = 0; // the number of the oldest event that was looked at
    this.complete = false;
    this.ending = new AbortController();
    this.stopFollowing = () => {};
  }

  /** Reads the newest events, and follows from there. @param {() => void} onLost */
  async start(onLost) {
    try {
      const { position } = await get(`${FLEET}/jobs`, { limit: 1 }, this.ending.signal);
      this.identity = logOf(position);
      this.begin = numberOf(position) + 1;
      await this.older();
      if (this.ending.signal.aborted || this.error.peek()) return;
      this.stopFollowing = follow({ since: position, onEvents: (events) => this.apply(events), onLost });
    } catch (error) {
      if (!isAbort(error)) this.error.value = error;
    }
  }

  close() {
    this.ending.abort();
    this.stopFollowing();
  }

  /** Reads what happened before. */
  async older() {
    if (this.loading.peek() || this.complete || this.error.peek() || !this.identity) return;
    this.loading.value = true;
    try {
      const found = await readBefore((since) => this.page(since), this.identity, this.begin, WIDTH);
      this.log.older(found.events.filter((event) => fits(this.filters, event)));
      this.begin = found.begin;
      this.complete = found.complete;
      this.version.value += 1;
    } catch (error) {
      if (!isAbort(error)) this.error.value = error;
    } finally {
      this.loading.value = false;
    }
  }

  /** @param {string} since */
  page(since) {
    return get(`${API}/jobs/events`, { ...conditions(this.filters), since, limit: LIMIT }, this.ending.signal);
  }

  /** @param {LiveEvent[]} events */
  apply(events) {
    const own = events.filter((event) => fits(this.filters, event));
    if (own.length === 0) return;
    this.fresh.value += own.length;
    if (this.waiting.length + own.length <= MOST_WAITING) this.waiting.push(...own);
    if (!this.holds()) this.show();
  }

  /** Whether so many wait that it is quicker to read all anew. */
  get isBehind() {
    return this.waiting.length < this.fresh.peek();
  }

  /** Shows the events that wait. */
  show() {
    this.log.newer(this.waiting);
    this.waiting = [];
    this.fresh.value = 0;
    if (this.log.rows.length > MOST_ROWS) {
      this.begin = this.log.cut(MOST_ROWS);
      this.complete = false;
    }
    this.version.value += 1;
  }
}
