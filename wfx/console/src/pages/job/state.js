// The state of the page of a job: what the service says of it, and what happens to it.

import { signal } from "@preact/signals";
import { ApiError, get, request } from "../../lib/api.js";
import { API, FLEET } from "../../lib/base.js";
import { Latest } from "../../lib/latest.js";
import { Subject } from "../../lib/subject.js";

/** @typedef {import("../../lib/live.js").LiveEvent} LiveEvent */
/**
 * @typedef {object} Shown
 * @property {any} fleet the job as the fleet API has it, with its group
 * @property {string} etag the version that changes are of
 * @property {any} job the job with its workflow and history
 * @property {string} text the same, as it was sent
 */

export class JobState extends Subject {
  /** @param {string} id */
  constructor(id) {
    super(id, `${FLEET}/jobs`);
    this.path = encodeURIComponent(id);
    this.shown = signal(/** @type {Shown | undefined} */ (undefined));
    this.device = signal(/** @type {any} */ (undefined));
    this.devices = new Latest();
    this.gone = signal(false);
  }

  /** @override @param {AbortSignal} ended @returns {Promise<Shown>} */
  async load(ended) {
    const [fleet, whole] = await Promise.all([
      request(`${FLEET}/jobs/${this.path}`, { signal: ended }),
      request(`${API}/jobs/${this.path}`, { query: { history: true }, signal: ended }),
    ]);
    return { fleet: fleet.data, etag: fleet.etag, job: whole.data, text: whole.text };
  }

  /** @override @param {Shown} found */
  show(found) {
    this.shown.value = found;
    void this.readDevice(found.fleet.clientId);
  }

  /** @param {string} client */
  async readDevice(client) {
    const address = `${FLEET}/devices/${encodeURIComponent(client)}`;
    try {
      this.device.value = (await this.devices.of(() => get(address, {}, this.ending.signal))) ?? this.device.peek();
    } catch {
      // a device that is not known is not shown
    }
  }

  /** @override @param {unknown} error */
  fail(error) {
    if (error instanceof ApiError && error.status === 404 && this.shown.peek()) this.gone.value = true;
    else super.fail(error);
  }

  /** @override @param {LiveEvent[]} events */
  apply(events) {
    const own = events.filter((event) => event.job.id === this.id);
    if (own.some((event) => event.action === "DELETE")) this.gone.value = true;
    else if (own.length > 0) this.reading.ask();
  }
}
