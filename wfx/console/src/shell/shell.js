// What is around every page: the bar with navigation, search, the state of the stream and the theme.

import { useEffect, useErrorBoundary } from "preact/hooks";
import { html } from "../lib/html.js";
import { Problem } from "../lib/problem.js";
import { match, path } from "../lib/router.js";
import { strings } from "../lib/strings.en.js";
import { first, pages } from "../pages/table.js";
import { Bar } from "./bar.js";
import { Keys } from "./keys.js";

/** @typedef {import("../pages/table.js").Page} Page */

/** The page of a path, and its parameters. @param {string} given */
function pageOf(given) {
  if (given === "") return { page: first, parameters: {} };
  for (const page of pages) {
    const parameters = match(page.route, given);
    if (parameters) return { page, parameters };
  }
  return undefined;
}

/** The whole window. */
export function Shell() {
  const found = pageOf(path.value);
  const title = found?.page.title ?? strings.notFound;
  useEffect(() => {
    document.title = `${title} · ${strings.product}`;
  }, [title]);
  return html`
    <a class="skip" href="#content" onClick=${toContent}>${strings.skip}</a>
    <${Bar} current=${found?.page} />
    <main id="content" tabindex="-1"><${Content} key=${found?.page.route ?? ""} found=${found} /></main>
    <${Keys} />
  `;
}

/** @param {{ found: { page: Page, parameters: Record<string, string> } | undefined }} props */
function Content({ found }) {
  const [error, again] = useErrorBoundary();
  if (error) return html`<${Problem} error=${error} onRetry=${again} />`;
  if (!found) return html`<h1>${strings.notFound}</h1>`;
  return html`<${found.page.View} key=${JSON.stringify(found.parameters)} ...${found.parameters} />`;
}

/** @param {Event} event */
function toContent(event) {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
