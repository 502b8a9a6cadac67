// How many jobs are in the states and groups of workflows.

import { FLEET } from "./base.js";
import { get } from "./api.js";

/** @typedef {{ workflow: string, group: string, state: string, jobs: number }} Count */
/** @typedef {{ counts: Count[], position: string, total: number }} Summary */

/** @param {string} [workflow] only those of this one @param {AbortSignal} [signal] @returns {Promise<Summary>} */
export function readSummary(workflow, signal) {
  return get(`${FLEET}/jobs/summary`, { workflow }, signal);
}

/** How many jobs are in a group, of whatever workflows. @param {readonly Count[]} counts @param {string} wanted */
export function jobsIn(counts, wanted) {
  return counts.reduce((all, { group, jobs }) => all + (group === wanted ? jobs : 0), 0);
}

/** Adds up by workflow and group. @param {readonly Count[]} counts @returns {Map<string, Map<string, number>>} */
export function byGroup(counts) {
  /** @type {Map<string, Map<string, number>>} */
  const found = new Map();
  for (const { workflow, group, jobs } of counts) {
    const groups = found.get(workflow) ?? new Map();
    found.set(workflow, groups.set(group, (groups.get(group) ?? 0) + jobs));
  }
  return found;
}

/** Adds up by state, or by group over all workflows. @param {readonly Count[]} counts @param {"state" | "group"} what @returns {Map<string, number>} */
export function totals(counts, what) {
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const each of counts) found.set(each[what], (found.get(each[what]) ?? 0) + each.jobs);
  return found;
}
