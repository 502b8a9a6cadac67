// The state of the list: rows page by page, counts, and what has changed since.

import { signal } from "@preact/signals";
import { get, isAbort } from "../../lib/api.js";
import { FLEET } from "../../lib/base.js";
import { follow } from "../../lib/live.js";
import { PagedList } from "../../lib/paged_list.js";
import { NO_GROUP } from "../../lib/status.js";
import { groupOf, known, learn } from "../../lib/workflows.js";
import { conditions, fits, wideConditions } from "./filters.js";

/** @typedef {import("../../lib/live.js").LiveEvent} LiveEvent */
/** @typedef {import("../../lib/live.js").LiveJob} LiveJob */
/** @typedef {import("../../lib/job_counts.js").Count} Count */
/** @typedef {import("./filters.js").Filters} Filters */
/**
 * @typedef {object} Row
 * @property {string} id
 * @property {string} clientId
 * @property {string} workflow
 * @property {string} group
 * @property {string} state
 * @property {string} [from] the state before, if it was seen to change
 * @property {string} [message]
 * @property {number} [progress]
 * @property {string[]} tags
 * @property {string} stime
 * @property {string} mtime
 * @property {boolean} [deleted]
 * @property {number} [changed] when it was seen to change
 */

const PAGE = 200;
const BETWEEN_COUNTS = 2000; // milliseconds

export class JobsState {
  /** @param {Filters} filters */
  constructor(filters) {
    this.filters = filters;
    /** @type {PagedList<Row>} */
    this.list = new PagedList((after, ended) => this.read(after, ended));
    this.counts = signal(/** @type {Count[] | undefined} */ (undefined));
    /** How many jobs there are that the list does not show yet. */
    this.fresh = signal(0);
    /** @type {Map<string, Row>} */
    this.byId = new Map();
    /** @type {Set<string>} */
    this.unseen = new Set();
    /** @type {Map<string, LiveJob>} what happened in states whose groups are not known yet */
    this.unknown = new Map();
    this.ending = new AbortController();
    this.stopFollowing = () => {};
    this.counting = 0;
  }

  /** Reads the first page and the counts, and follows from there. @param {() => void} onLost */
  async start(onLost) {
    void this.count();
    await this.list.need(PAGE);
    if (this.ending.signal.aborted || !this.list.position) return;
    const stopLearning = known.subscribe(() => this.learned());
    const stop = follow({
      since: this.list.position,
      onEvents: (events) => this.apply(events),
      onLost,
    });
    this.stopFollowing = () => {
      stopLearning();
      stop();
    };
  }

  close() {
    this.ending.abort();
    this.list.close();
    clearTimeout(this.counting);
    this.stopFollowing();
  }

  /** @param {string} after @param {AbortSignal} ended */
  async read(after, ended) {
    const query = { ...conditions(this.filters), sort: this.filters.sort, limit: PAGE, after };
    const page = await get(`${FLEET}/jobs`, query, ended);
    const rows = /** @type {Row[]} */ (page.content).filter((row) => !this.byId.has(row.id));
    for (const row of rows) {
      learn(row.workflow, row.state, row.group);
      this.byId.set(row.id, row);
      this.unseen.delete(row.id);
    }
    this.fresh.value = this.unseen.size;
    return { ...page, content: rows };
  }

  async count() {
    try {
      const summary = await get(`${FLEET}/jobs/summary`, wideConditions(this.filters), this.ending.signal);
      for (const each of summary.counts) learn(each.workflow, each.state, each.group);
      this.counts.value = summary.counts;
    } catch (error) {
      if (!isAbort(error)) this.list.error.value = error;
    }
  }

  /** Counts again soon, however much happens. */
  countSoon() {
    this.counting ||= /** @type {any} */ (
      setTimeout(async () => {
        const begun = Date.now();
        await this.count();
        const wait = 10 * (Date.now() - begun);
        this.counting = 0;
        if (wait > BETWEEN_COUNTS) this.counting = /** @type {any} */ (setTimeout(() => (this.counting = 0), wait));
      }, BETWEEN_COUNTS)
    );
  }

  /** How many jobs fit all filters. */
  get total() {
    const { group, state } = this.filters;
    return (this.counts.value ?? [])
      .filter((each) => group.length === 0 || group.includes(each.group || NO_GROUP))
      .filter((each) => !state || each.state === state)
      .reduce((sum, each) => sum + each.jobs, 0);
  }

  /** @param {LiveEvent[]} events */
  apply(events) {
    const now = Date.now();
    for (const event of events) this.applyOne(event, now);
    this.fresh.value = this.unseen.size;
    this.list.version.value += 1;
    this.countSoon();
  }

  /** @param {LiveEvent} event @param {number} now */
  applyOne({ action, job }, now) {
    const row = this.byId.get(job.id);
    if (action === "DELETE") {
      this.unseen.delete(job.id);
      if (row) Object.assign(row, { deleted: true, changed: now });
      return;
    }
    if (!row) {
      this.notice(job);
      return;
    }
    row.changed = now;
    if (job.mtime) row.mtime = job.mtime;
    if (job.tags) row.tags = job.tags;
    if (job.state === undefined) return;
    if (row.state !== job.state) row.from = row.state;
    const group = groupOf(job.workflow, job.state);
    if (group === undefined) this.unknown.set(job.id, job);
    Object.assign(row, { state: job.state, progress: job.progress, message: job.message, group: group ?? "" });
  }

  /** Looks again at what happened in states whose groups were not known. */
  learned() {
    const jobs = [...this.unknown.values()];
    this.unknown.clear();
    for (const job of jobs) {
      const row = this.byId.get(job.id);
      if (row && row.state === job.state) row.group = groupOf(job.workflow, job.state ?? "") ?? "";
      else if (!row) this.notice(job);
    }
    if (jobs.length === 0) return;
    this.fresh.value = this.unseen.size;
    this.list.version.value += 1;
  }

  /** Takes note of a job that the list does not have. @param {LiveJob} job */
  notice(job) {
    const group = job.state === undefined ? undefined : groupOf(job.workflow, job.state);
    if (job.state !== undefined && group === undefined) this.unknown.set(job.id, job);
    if (fits(this.filters, { ...job, group })) this.unseen.add(job.id);
    else if (job.state !== undefined) this.unseen.delete(job.id);
  }
}
