// Which group a state is in: learned from what pages have read, else from the workflow.

import { signal } from "@preact/signals";
import { get } from "./api.js";
import { API } from "./base.js";

/** @typedef {{ name: string, description?: string, groups?: { name: string, states?: string[] }[], states: { name: string, description?: string }[], transitions?: { from: string, to: string, eligible: string, action?: string, description?: string }[] }} Workflow */

/** @type {Map<string, Map<string, string>>} */
const groups = new Map();
/** @type {Map<string, Promise<Workflow | undefined>>} */
const asked = new Map();

/** Increased as more is known. */
export const known = signal(0);

/** Takes note of a group. @param {string} workflow @param {string} state @param {string} group */
export function learn(workflow, state, group) {
  const states = groups.get(workflow) ?? new Map();
  groups.set(workflow, states.set(state, group));
}

/** The group of a state; undefined if it is not known yet, which is asked for then. @param {string} workflow @param {string} state */
export function groupOf(workflow, state) {
  const found = groups.get(workflow)?.get(state);
  if (found === undefined) void workflowOf(workflow);
  return found;
}

/** Reads a workflow, once. @param {string} name */
export function workflowOf(name) {
  let found = asked.get(name);
  if (!found) {
    found = read(name);
    asked.set(name, found);
  }
  return found;
}

/** @param {string} name @returns {Promise<Workflow | undefined>} */
async function read(name) {
  try {
    const workflow = /** @type {Workflow} */ (await get(`${API}/workflows/${encodeURIComponent(name)}`));
    for (const state of workflow.states) learn(name, state.name, "");
    for (const group of workflow.groups ?? []) for (const state of group.states ?? []) learn(name, state, group.name);
    known.value += 1;
    return workflow;
  } catch {
    asked.delete(name);
    return undefined;
  }
}
