// The state of the list of devices: rows page by page, and what has changed since.

import { signal } from "@preact/signals";
import { get, isAbort } from "../../lib/api.js";
import { FLEET } from "../../lib/base.js";
import { follow } from "../../lib/live.js";
import { PagedList } from "../../lib/paged_list.js";
import { Soon } from "../../lib/soon.js";
import { belongs, conditions } from "./filters.js";

/** @typedef {import("../../lib/live.js").LiveEvent} LiveEvent */
/** @typedef {import("./filters.js").Filters} Filters */
/** @typedef {{ id: string, workflow: string, group: string, state: string, mtime: string }} JobOfDevice */
/**
 * @typedef {object} Device
 * @property {string} clientId
 * @property {string} [firstSeen]
 * @property {string} [lastSeen]
 * @property {string} [version]
 * @property {JobOfDevice} [currentJob]
 * @property {JobOfDevice} [lastResult]
 * @property {Record<string, string>} attributes
 * @property {string[]} labels
 * @property {number} [changed] when it was seen to change
 */

const PAGE = 100;
const BETWEEN_READS = 1000; // milliseconds
const AT_ONCE = 20; // devices that are read anew at a time

export class DevicesState {
  /** @param {Filters} filters */
  constructor(filters) {
    this.filters = filters;
    /** @type {PagedList<Device>} */
    this.list = new PagedList((after, ended) => this.read(after, ended));
    /** How many devices there are that the list does not show yet. */
    this.fresh = signal(0);
    /** @type {Map<string, Device>} */
    this.byId = new Map();
    /** @type {Set<string>} */
    this.unseen = new Set();
    /** @type {Set<string>} rows whose jobs have changed */
    this.stale = new Set();
    /** @type {{ after: string, start: number }[]} where each page that is loaded begins */
    this.pages = [];
    this.seen = { first: 0, last: PAGE };
    this.reading = new Soon(() => void this.readStale(), BETWEEN_READS);
    this.ending = new AbortController();
    this.stopFollowing = () => {};
  }

  /** Reads the first page, and follows from there. @param {() => void} onLost */
  async start(onLost) {
    await this.list.need(PAGE);
    if (this.ending.signal.aborted || !this.list.position) return;
    this.stopFollowing = follow({ since: this.list.position, onEvents: (events) => this.apply(events), onLost });
  }

  close() {
    this.ending.abort();
    this.list.close();
    this.reading.close();
    this.stopFollowing();
  }

  /** @param {string} after @param {AbortSignal} ended */
  async read(after, ended) {
    const page = await this.page(after, ended);
    this.pages.push({ after, start: this.list.rows.length });
    for (const row of /** @type {Device[]} */ (page.content)) {
      this.byId.set(row.clientId, row);
      this.unseen.delete(row.clientId);
    }
    this.fresh.value = this.unseen.size;
    return page;
  }

  /** @param {string} after @param {AbortSignal} ended */
  page(after, ended) {
    return get(`${FLEET}/devices`, { ...conditions(this.filters), limit: PAGE, after }, ended);
  }

  /** Reads anew what no event tells of the rows that are seen: when a device was seen, and what it is called. */
  async look() {
    const { first, last } = this.seen;
    const pages = this.pages.filter(({ start }, index) => start < last && (this.pages[index + 1]?.start ?? Infinity) > first);
    try {
      for (const { after } of pages) {
        for (const device of (await this.page(after, this.ending.signal)).content) this.update(device);
      }
      this.list.version.value += 1;
    } catch {
      // the rows stay as they were; the next look tries again
    }
  }

  /** Its jobs are left to events, which are newer. @param {Device} device */
  update({ currentJob: _job, lastResult: _result, ...rest }) {
    const row = this.byId.get(rest.clientId);
    if (row) Object.assign(row, rest);
  }

  /** @param {LiveEvent[]} events */
  apply(events) {
    const { rows, complete } = this.list;
    for (const { action, job } of events) {
      if (this.byId.has(job.clientId)) this.stale.add(job.clientId);
      else if (action === "CREATE" && belongs(this.filters, job.clientId, rows.at(-1)?.clientId, complete)) this.unseen.add(job.clientId);
    }
    this.fresh.value = this.unseen.size;
    if (this.stale.size > 0) this.reading.ask();
  }

  /** Reads anew the rows whose jobs have changed. */
  async readStale() {
    const some = [...this.stale].slice(0, AT_ONCE);
    for (const id of some) this.stale.delete(id);
    await Promise.all(some.map((id) => this.readOne(id)));
    this.list.version.value += 1;
    if (this.stale.size > 0 && !this.ending.signal.aborted) this.reading.ask();
  }

  /** @param {string} id */
  async readOne(id) {
    const row = this.byId.get(id);
    try {
      const device = await get(`${FLEET}/devices/${encodeURIComponent(id)}`, {}, this.ending.signal);
      if (row) Object.assign(row, { currentJob: undefined, lastResult: undefined }, device, { changed: Date.now() });
    } catch (error) {
      if (!isAbort(error)) this.stale.delete(id); // the row stays as it was; its next event tries again
    }
  }
}
