// The state of a page in the query of its address.

import { navigate, place } from "./router.js";

/** One value; empty if there is none. @param {string} name */
export function value(name) {
  return place.value.query.get(name) ?? "";
}

/** All values of a name. @param {string} name */
export function values(name) {
  return place.value.query.getAll(name);
}

/**
 * The query with some names changed: a list or one value in place of what was there; nothing removes it.
 * @param {URLSearchParams} query @param {Record<string, string | readonly string[]>} changes
 */
export function changed(query, changes) {
  const next = new URLSearchParams(query);
  for (const [name, given] of Object.entries(changes)) {
    next.delete(name);
    for (const each of Array.isArray(given) ? given : [given]) if (each) next.append(name, each);
  }
  return next;
}

/** Changes the state; the change is one step of "back" unless it replaces the present one. @param {Record<string, string | readonly string[]>} changes @param {{ replace?: boolean }} [how] */
export function set(changes, how) {
  const text = changed(place.peek().query, changes).toString();
  navigate(place.peek().path + (text && `?${text}`), how);
}

/** An address of this page with changes, for links. @param {Record<string, string | readonly string[]>} changes */
export function link(changes) {
  const text = changed(place.value.query, changes).toString();
  return place.value.path + (text && `?${text}`);
}
