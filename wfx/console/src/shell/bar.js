// The bar at the top.

import { html } from "../lib/html.js";
import { condition, followers, paused } from "../lib/live.js";
import { href, navigate } from "../lib/router.js";
import { strings } from "../lib/strings.en.js";
import { now } from "../lib/text.js";
import { nextTheme, theme } from "../lib/theme.js";
import { pages } from "../pages/table.js";

/** @typedef {import("../pages/table.js").Page} Page */

/** @param {{ current: Page | undefined }} props */
export function Bar({ current }) {
  return html`<header class="bar">
    <a class="brand" href=${href("")}>${strings.product}</a>
    <nav aria-label=${strings.product}>
      <ul>
        ${pages
          .filter((page) => page.key)
          .map(
            (page) => html`<li key=${page.route}>
              <a href=${href(page.route)} aria-current=${isWithin(current, page) ? "page" : undefined}>${page.title}</a>
            </li>`,
          )}
      </ul>
    </nav>
    <${Search} />
    <${Live} />
    <${Theme} />
  </header>`;
}

/** Tells whether a page is the one of the navigation, or below it: that of a job is below that of the jobs. @param {Page | undefined} current @param {Page} page */
function isWithin(current, page) {
  return current !== undefined && current.route.split("/")[0] === page.route;
}

function Search() {
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const text = String(new FormData(form).get("q") ?? "").trim();
    if (text) navigate(placeOfSearch(text));
    form.reset();
  };
  return html`<form class="search" role="search" onSubmit=${submit}>
    <input id="search" name="q" type="search" autocomplete="off" spellcheck=${false} maxlength="255" aria-label=${strings.search} placeholder=${strings.searchHint} />
  </form>`;
}

/** Where a search leads: to the job with this id, or to the jobs of clients whose ids begin so. @param {string} text */
function placeOfSearch(text) {
  const isId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);
  return isId ? `jobs/${text.toLowerCase()}` : `jobs?${new URLSearchParams({ client: text })}`;
}

function Live() {
  if (followers.value === 0) return null;
  const { state, until } = condition.value;
  const shown = paused.value ? "paused" : state;
  const seconds = Math.max(0, Math.ceil((until - now.value) / 1000));
  const word = shown === "reconnecting" ? strings.live.reconnecting(seconds) : strings.live[shown];
  return html`<button
    type="button"
    class=${`plain live live-${shown}`}
    aria-pressed=${paused.value}
    title=${paused.value ? strings.live.resume : strings.live.pause}
    onClick=${() => (paused.value = !paused.value)}
  >
    <span class="dot" aria-hidden="true"></span>${word}
  </button>`;
}

function Theme() {
  const name = strings.theme[theme.value];
  return html`<button type="button" class="plain theme" title=${name} aria-label=${name} onClick=${nextTheme}>◐</button>`;
}
