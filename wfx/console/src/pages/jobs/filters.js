// What the list is filtered by: kept in the address, sent to the service, and applied to what happens.

import { NO_GROUP } from "../../lib/status.js";
import { strings } from "../../lib/strings.en.js";

/** @typedef {import("../../lib/job_counts.js").Count} Count */
/**
 * @typedef {object} Filters
 * @property {string} workflow
 * @property {string} state
 * @property {string[]} group
 * @property {string[]} tag
 * @property {string} client the beginning of client ids
 * @property {string} after created at this time or later
 * @property {string} before created before this time
 * @property {string} unchanged a duration as P1D
 * @property {"asc" | "desc"} sort
 */

export const ONE = /** @type {const} */ (["workflow", "state", "client", "after", "before", "unchanged"]);
export const MANY = /** @type {const} */ (["group", "tag"]);
const OFFERED = /** @type {const} */ (["group", "state", "workflow", "tag", "unchanged", "after", "before"]);

/** What an address without any filters has. */
export const cleared = Object.fromEntries([...ONE, ...MANY].map((name) => [name, ""]));

/** The kinds of filters that are chips, with what the jobs propose. @param {readonly Count[]} counts @returns {import("../../lib/filter_chips.js").Kind[]} */
export function kindsOf(counts) {
  const { filters, filterHints } = strings.jobs;
  return OFFERED.map((name) => ({ name, title: filters[name], hint: filterHints[name], single: name !== "group" && name !== "tag", values: proposals(name, counts) }));
}

/** @param {string} name @param {readonly Count[]} counts */
function proposals(name, counts) {
  if (name !== "group" && name !== "state" && name !== "workflow") return [];
  return [...new Set(counts.map((each) => each[name] || NO_GROUP))].slice(0, 200).sort();
}

/** What is given of each kind. @param {Filters} filters @returns {Record<string, string[]>} */
export function chipsOf(filters) {
  return Object.fromEntries(OFFERED.map((name) => [name, [filters[name]].flat().filter(Boolean)]));
}

/** Reads them from the query of an address. @param {URLSearchParams} query @returns {Filters} */
export function filtersOf(query) {
  const one = (/** @type {string} */ name) => query.get(name) ?? "";
  return {
    workflow: one("workflow"),
    state: one("state"),
    client: one("client"),
    after: one("after"),
    before: one("before"),
    unchanged: one("unchanged"),
    group: query.getAll("group").filter(Boolean),
    tag: query.getAll("tag").filter(Boolean),
    sort: one("sort") === "asc" ? "asc" : "desc",
  };
}

/** As the service takes them. @param {Filters} filters @returns {Record<string, string | string[]>} */
export function conditions(filters) {
  return { ...wideConditions(filters), state: filters.state, group: filters.group };
}

/** Without group and state: what the bar counts. @param {Filters} filters @returns {Record<string, string | string[]>} */
export function wideConditions({ workflow, tag, client, after, before, unchanged }) {
  return { workflow, tag, clientIdPrefix: client, createdAfter: after, createdBefore: before, unchangedFor: unchanged };
}

/** Tells whether there are any. @param {Filters} filters */
export function any(filters) {
  return ONE.some((name) => filters[name]) || MANY.some((name) => filters[name].length > 0);
}

/**
 * Tells whether a job fits, as far as is known; what is not known does not fit.
 * @param {Filters} filters
 * @param {{ workflow: string, clientId: string, state?: string | undefined, group?: string | undefined, tags?: string[] | undefined }} job
 */
export function fits(filters, job) {
  if (filters.workflow && filters.workflow !== job.workflow) return false;
  if (filters.state && filters.state !== job.state) return false;
  if (!job.clientId.startsWith(filters.client)) return false;
  if (filters.group.length > 0 && !filters.group.includes(job.group || NO_GROUP)) return false;
  if (filters.tag.length > 0 && !filters.tag.some((tag) => job.tags?.includes(tag))) return false;
  return !filters.before && !filters.unchanged;
}
