// The state of the page of a job: what the service says of it, and what happens to it.

import { signal } from "@preact/signals";
import { ApiError, get, isAbort, request } from "../../lib/api.js";
import { API, FLEET } from "../../lib/base.js";
import { follow } from "../../lib/live.js";

/** @typedef {import("../../lib/live.js").LiveEvent} LiveEvent */
/**
 * @typedef {object} Shown
 * @property {any} fleet the job as the fleet API has it, with its group
 * @property {string} etag the version that changes are of
 * @property {any} job the job with its workflow and history
 * @property {string} text the same, as it was sent
 */

const BETWEEN_READS = 500; // milliseconds

export class JobState {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.shown = signal(/** @type {Shown | undefined} */ (undefined));
    this.device = signal(/** @type {any} */ (undefined));
    this.error = signal(/** @type {unknown} */ (undefined));
    this.gone = signal(false);
    this.ending = new AbortController();
    this.stopFollowing = () => {};
    this.timer = 0;
  }

  get path() {
    return encodeURIComponent(this.id);
  }

  /** Reads the job, and follows it. */
  async start() {
    const { signal: ended } = this.ending;
    try {
      // The position comes first: what happens while the job is read is read once more, and nothing is missed.
      const { position } = await get(`${FLEET}/jobs`, { limit: 1 }, ended);
      await this.read();
      if (ended.aborted) return;
      this.stopFollowing();
      this.stopFollowing = follow({ since: position, onEvents: (events) => this.apply(events), onLost: () => void this.start() });
    } catch (error) {
      this.fail(error);
    }
  }

  close() {
    this.ending.abort();
    clearTimeout(this.timer);
    this.stopFollowing();
  }

  /** Reads it anew. */
  async read() {
    const { signal: ended } = this.ending;
    try {
      const [fleet, whole] = await Promise.all([
        request(`${FLEET}/jobs/${this.path}`, { signal: ended }),
        request(`${API}/jobs/${this.path}`, { query: { history: true }, signal: ended }),
      ]);
      this.shown.value = { fleet: fleet.data, etag: fleet.etag, job: whole.data, text: whole.text };
      this.error.value = undefined;
      await this.readDevice(fleet.data.clientId);
    } catch (error) {
      this.fail(error);
    }
  }

  /** @param {string} client */
  async readDevice(client) {
    try {
      this.device.value = await get(`${FLEET}/devices/${encodeURIComponent(client)}`, {}, this.ending.signal);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // a device that is not known is not shown
    }
  }

  /** @param {unknown} error */
  fail(error) {
    if (isAbort(error)) return;
    if (error instanceof ApiError && error.status === 404 && this.shown.peek()) this.gone.value = true;
    else this.error.value = error;
  }

  /** @param {LiveEvent[]} events */
  apply(events) {
    const own = events.filter((event) => event.job.id === this.id);
    if (own.length === 0) return;
    if (own.some((event) => event.action === "DELETE")) {
      this.gone.value = true;
      return;
    }
    this.readSoon();
  }

  /** Reads it anew at once, or soon after the last time. */
  readSoon() {
    if (this.timer) {
      this.again = true;
      return;
    }
    void this.read();
    this.timer = /** @type {any} */ (
      setTimeout(() => {
        this.timer = 0;
        if (this.again) {
          this.again = false;
          this.readSoon();
        }
      }, BETWEEN_READS)
    );
  }

  again = false;
}
