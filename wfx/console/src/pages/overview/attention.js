// What needs a person: jobs that failed, that have not moved for long, and that wait for a transition of an operator.

import { FLEET } from "../../lib/base.js";
import { get } from "../../lib/api.js";
import { workflowOf } from "../../lib/workflows.js";

/** @typedef {import("../../lib/job_counts.js").Count} Count */
/** @typedef {import("../../lib/job_counts.js").Summary} Summary */
/** @typedef {import("../../lib/workflows.js").Workflow} Workflow */
/** @typedef {{ id: string, clientId: string, workflow: string, group: string, state: string, message?: string, mtime: string }} Job */
/** @typedef {{ workflow: string, state: string, group: string, jobs: number, to: string[] }} Waiting */

/** After so long without a change an open job is worth a look. */
export const LONG = "P1D";
const SHOWN = 5;
const MOST_WORKFLOWS = 50; // whose documents are read to find out where operators decide

/** The states that only an operator can lead out of, or could. @param {Workflow} workflow @returns {Map<string, string[]>} by state where it leads */
export function decisions(workflow) {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const { from, to, eligible, action } of workflow.transitions ?? []) {
    if (eligible !== "WFX" || action === "IMMEDIATE" || from === to) continue;
    found.set(from, [...(found.get(from) ?? []), to]);
  }
  const ofDevices = new Set((workflow.transitions ?? []).filter(({ eligible }) => eligible === "CLIENT").map(({ from }) => from));
  for (const state of ofDevices) found.delete(state);
  return found;
}

/** The counts of states in which jobs wait for an operator. @param {readonly Count[]} counts @returns {Promise<Waiting[]>} */
export async function waitingForOperators(counts) {
  const names = [...new Set(counts.filter(({ jobs }) => jobs > 0).map(({ workflow }) => workflow))].slice(0, MOST_WORKFLOWS);
  const workflows = await Promise.all(names.map(workflowOf));
  /** @type {Waiting[]} */
  const found = [];
  for (const workflow of workflows) {
    if (!workflow) continue;
    const exits = decisions(workflow);
    for (const count of counts) {
      const to = exits.get(count.state);
      if (count.workflow === workflow.name && to && count.jobs > 0) found.push({ ...count, to });
    }
  }
  return found.sort((one, other) => other.jobs - one.jobs);
}

/** The newest jobs that failed. @param {AbortSignal} signal @returns {Promise<Job[]>} */
export async function failedJobs(signal) {
  return (await get(`${FLEET}/jobs`, { group: ["FAILED"], sort: "desc", limit: SHOWN }, signal)).content;
}

/** How many open jobs have not changed for long. @param {AbortSignal} signal @returns {Promise<Summary>} */
export function stuckJobs(signal) {
  return get(`${FLEET}/jobs/summary`, { group: ["OPEN"], unchangedFor: LONG }, signal);
}
