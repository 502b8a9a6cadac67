// What events are filtered by: kept in the address, sent to the service, and applied to what happens.

/** @typedef {import("../../lib/live.js").LiveEvent} LiveEvent */
/** @typedef {Record<typeof NAMES[number], string[]>} Filters each of these, if there are any */

export const NAMES = /** @type {const} */ (["client", "workflow", "action", "job"]);

/** Reads them from the query of an address. @param {URLSearchParams} query @returns {Filters} */
export function filtersOf(query) {
  const all = (/** @type {string} */ name) => query.getAll(name).filter(Boolean);
  return { client: all("client"), workflow: all("workflow"), action: all("action").map((each) => each.toUpperCase()), job: all("job") };
}

/** As the service takes them: of jobs, clients and workflows it gives what any names; the rest is left to `fits`. @param {Filters} filters */
export function conditions({ client, workflow, action, job }) {
  return { clientIds: client, workflows: workflow, actions: action.map((each) => each.toLowerCase()), jobIds: job };
}

/** Tells whether an event fits all. @param {Filters} filters @param {LiveEvent} event */
export function fits({ client, workflow, action, job }, event) {
  const among = (/** @type {string[]} */ wanted, /** @type {string} */ value) => wanted.length === 0 || wanted.includes(value);
  return among(client, event.job.clientId) && among(workflow, event.job.workflow) && among(action, event.action) && among(job, event.job.id);
}
