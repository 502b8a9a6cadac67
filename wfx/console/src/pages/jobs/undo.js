// A change of tags taken back: each job gets the tags again that it had, and loses those that it did not have.

import { get } from "../../lib/api.js";
import { FLEET } from "../../lib/base.js";
import { readAll } from "./retry.js";

/** @typedef {import("./bulk.js").Work} Work */
/** @typedef {import("./bulk.js").Item} Item */
/** @typedef {{ id: string, tags: string[] }} Tagged */
/** @typedef {{ work: Extract<Work, { kind: "tag" }>, ids: string[] }} Step */

const MOST = 1000; // jobs whose tags are kept for that

/** The tags of jobs before a change; nothing if these are too many. @param {import("./bulk.js").Which} which @param {number} count @returns {Promise<Tagged[]>} */
export async function tagsOf(which, count) {
  if (count > MOST) return [];
  if ("selection" in which) return /** @type {any} */ (await readAll(which.selection));
  const found = await Promise.all(which.ids.map((id) => get(`${FLEET}/jobs/${id}`).catch(() => undefined)));
  return found.filter(Boolean);
}

/** What takes a change back, of those jobs that were changed. @param {Work} work @param {readonly Tagged[]} before @param {readonly Item[]} items @returns {Step[]} */
export function undoOf(work, before, items) {
  if (work.kind !== "tag") return [];
  const done = new Set(items.filter(({ error }) => !error).map(({ id }) => id));
  /** @type {Map<string, Step>} */
  const steps = new Map();
  for (const { id, tags } of before) {
    const remove = work.add.filter((tag) => !tags.includes(tag));
    const add = work.remove.filter((tag) => tags.includes(tag));
    if (!done.has(id) || add.length + remove.length === 0) continue;
    const key = JSON.stringify([add, remove]);
    const step = steps.get(key) ?? { work: { kind: "tag", add, remove }, ids: [] };
    step.ids.push(id);
    steps.set(key, step);
  }
  return [...steps.values()];
}
