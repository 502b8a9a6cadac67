// The state of the page of a device: what the service says of it and of its jobs, and what happens to these.

import { signal } from "@preact/signals";
import { ApiError, get, isAbort } from "../../lib/api.js";
import { FLEET } from "../../lib/base.js";
import { follow } from "../../lib/live.js";
import { Soon } from "../../lib/soon.js";

/** @typedef {import("../devices/state.js").Device} Device */
/** @typedef {{ id: string, workflow: string, group: string, state: string, stime: string, mtime: string, message?: string, progress?: number, tags: string[] }} Job */
/** @typedef {{ device: Device, jobs: Job[], more: boolean }} Shown */

const BETWEEN_READS = 500; // milliseconds
const FIRST = 50; // jobs
export const MOST = 1000; // jobs that are shown here

export class DeviceState {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.path = `${FLEET}/devices/${encodeURIComponent(id)}`;
    this.shown = signal(/** @type {Shown | undefined} */ (undefined));
    this.error = signal(/** @type {unknown} */ (undefined));
    this.unknown = signal(false);
    this.limit = FIRST;
    this.ending = new AbortController();
    this.reading = new Soon(() => void this.read(), BETWEEN_READS);
    this.stopFollowing = () => {};
  }

  /** Reads all, and follows it. */
  async start() {
    const { signal: ended } = this.ending;
    try {
      // The position comes first: what happens meanwhile is read once more, and nothing is missed.
      const { position } = await get(`${FLEET}/devices`, { limit: 1 }, ended);
      await this.read();
      if (ended.aborted) return;
      this.stopFollowing();
      this.stopFollowing = follow({
        since: position,
        onEvents: (events) => events.some(({ job }) => job.clientId === this.id) && this.reading.ask(),
        onLost: () => void this.start(),
      });
    } catch (error) {
      if (!isAbort(error)) this.error.value = error;
    }
  }

  close() {
    this.ending.abort();
    this.reading.close();
    this.stopFollowing();
  }

  /** Reads it anew. */
  async read() {
    const { signal: ended } = this.ending;
    try {
      const [device, jobs] = await Promise.all([
        get(this.path, {}, ended),
        get(`${FLEET}/jobs`, { clientId: this.id, sort: "desc", limit: this.limit }, ended),
      ]);
      this.shown.value = { device, jobs: jobs.content, more: jobs.next !== undefined };
      this.error.value = undefined;
      this.unknown.value = false;
    } catch (error) {
      if (isAbort(error)) return;
      if (error instanceof ApiError && error.status === 404) this.unknown.value = true;
      else this.error.value = error;
    }
  }

  /** Shows more of its jobs. */
  async older() {
    this.limit = Math.min(MOST, this.limit * 4);
    await this.read();
  }
}
