// The state of the page of a device: what the service says of it and of its jobs, and what happens to these.

import { signal } from "@preact/signals";
import { ApiError, get } from "../../lib/api.js";
import { FLEET } from "../../lib/base.js";
import { Subject } from "../../lib/subject.js";

/** @typedef {import("../../lib/live.js").LiveEvent} LiveEvent */
/** @typedef {import("../devices/state.js").Device} Device */
/** @typedef {{ id: string, workflow: string, group: string, state: string, stime: string, mtime: string, message?: string, progress?: number, tags: string[] }} Job */
/** @typedef {{ device: Device, jobs: Job[], more: boolean }} Shown */

const FIRST = 50; // jobs
export const MOST = 1000; // jobs that are shown here

export class DeviceState extends Subject {
  /** @param {string} id */
  constructor(id) {
    super(id, `${FLEET}/devices`);
    this.path = `${FLEET}/devices/${encodeURIComponent(id)}`;
    this.shown = signal(/** @type {Shown | undefined} */ (undefined));
    this.unknown = signal(false);
    this.limit = FIRST;
  }

  /** @override @param {AbortSignal} ended @returns {Promise<Shown>} */
  async load(ended) {
    const [device, jobs] = await Promise.all([
      get(this.path, {}, ended),
      get(`${FLEET}/jobs`, { clientId: this.id, sort: "desc", limit: this.limit }, ended),
    ]);
    return { device, jobs: jobs.content, more: jobs.next !== undefined };
  }

  /** @override @param {Shown} found */
  show(found) {
    this.shown.value = found;
    this.unknown.value = false;
  }

  /** @override @param {unknown} error */
  fail(error) {
    if (error instanceof ApiError && error.status === 404) this.unknown.value = true;
    else super.fail(error);
  }

  /** @override @param {LiveEvent[]} events */
  apply(events) {
    if (events.some(({ job }) => job.clientId === this.id)) this.reading.ask();
  }

  /** Shows more of its jobs. */
  async older() {
    this.limit = Math.min(MOST, this.limit * 4);
    await this.read();
  }
}
