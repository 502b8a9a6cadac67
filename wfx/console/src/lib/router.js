// Which page is shown. The whole state of a page is in its address, so that reload, back and bookmarks give the same.

import { computed, signal } from "@preact/signals";
import { UI } from "./base.js";

/** @typedef {{ path: string, query: URLSearchParams }} Place */

/** @param {URL | Location} url @returns {Place} */
function placeOf(url) {
  const path = url.pathname.startsWith(UI) ? url.pathname.slice(UI.length) : "";
  return { path: path.replace(/\/+$/, ""), query: new URLSearchParams(url.search) };
}

/** Where the reader is: the path below the console, and the query. */
export const place = signal(typeof location === "undefined" ? { path: "", query: new URLSearchParams() } : placeOf(location));

/** The path alone: changes less often than the place. */
export const path = computed(() => place.value.path);

/** The address of a page, for links. @param {string} to e.g. `jobs/1?x=y` */
export function href(to) {
  return UI + to;
}

/** Go to a page. @param {string} to below the console @param {{ replace?: boolean }} [how] */
export function navigate(to, how = {}) {
  const url = new URL(href(to), location.href);
  if (url.href === location.href) return;
  history[how.replace ? "replaceState" : "pushState"](null, "", url);
  place.value = placeOf(url);
}

/**
 * Finds what a path is: `jobs/:id` fits `jobs/7`, with id 7.
 * @param {string} pattern @param {string} given @returns {Record<string, string> | undefined}
 */
export function match(pattern, given) {
  const wanted = pattern.split("/");
  const found = given.split("/");
  if (wanted.length !== found.length) return undefined;
  /** @type {Record<string, string>} */
  const parameters = {};
  for (const [index, part] of wanted.entries()) {
    const segment = found[index] ?? "";
    if (part.startsWith(":")) {
      const value = decoded(segment);
      if (!value) return undefined;
      parameters[part.slice(1)] = value;
    } else if (part !== segment) return undefined;
  }
  return parameters;
}

/** @param {string} segment */
function decoded(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Follows links within the console without loading it anew. */
export function startRouter() {
  addEventListener("popstate", () => {
    place.value = placeOf(location);
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !url.pathname.startsWith(UI) || url.hash) return;
    event.preventDefault();
    navigate(url.pathname.slice(UI.length) + url.search);
    scrollTo(0, 0);
  });
}
