import { useEffect, useMemo, useState } from "preact/hooks";
import { ApiError, get, isAbort } from "../../lib/api.js";
import { API, FLEET, RULES } from "../../lib/base.js";
import { html } from "../../lib/html.js";
import { Empty, Problem } from "../../lib/problem.js";
import { href } from "../../lib/router.js";
import { strings } from "../../lib/strings.en.js";
import { link, set, value } from "../../lib/url_state.js";
import { matching, operationsOf } from "./document.js";
import { OperationView } from "./operation.js";

/** @typedef {import("./document.js").Operation} Operation */

const words = strings.apiPage;
const DOCUMENTS = [API, FLEET, RULES].map((base) => `${base}/openapi.json`);

export function View() {
  const [operations, setOperations] = useState(/** @type {Operation[] | undefined} */ (undefined));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const ending = new AbortController();
    Promise.all(DOCUMENTS.map((path) => read(path, ending.signal))).then(
      (found) => {
        setOperations(found.flat());
        setError(undefined);
      },
      (failure) => isAbort(failure) || setError(failure),
    );
    return () => ending.abort();
  }, [tries]);
  const search = value("q");
  const shown = useMemo(() => matching(operations ?? [], search), [operations, search]);
  const chosen = operations?.find(({ key }) => key === value("operation"));
  return html`
    <div class="heading">
      <h1>${words.title}</h1>
      <input type="search" class="api-search" aria-label=${words.find} placeholder=${words.findHint} value=${search}
        onInput=${(/** @type {InputEvent} */ event) => set({ q: /** @type {HTMLInputElement} */ (event.currentTarget).value }, { replace: true })} />
      ${operations && html`<span class="count" role="status">${words.showing(shown.length, operations.length)}</span>`}
    </div>
    <${Problem} error=${error} onRetry=${() => setTries(tries + 1)} />
    ${!operations && !error && html`<p class="skeleton">${strings.loading}</p>`}
    ${operations && html`<div class="api">
      <${List} operations=${shown} chosen=${chosen} />
      <div class="api-operation">
        ${chosen ? html`<${OperationView} key=${chosen.key} operation=${chosen} />` : html`<p class="faint">${words.choose}</p>`}
      </div>
    </div>`}
  `;
}

/** The operations of a document; none if the service has no such API. @param {string} path @param {AbortSignal} signal */
async function read(path, signal) {
  try {
    return operationsOf(await get(path, undefined, signal));
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return [];
    throw error;
  }
}

/** @param {{ operations: Operation[], chosen: Operation | undefined }} props */
function List({ operations, chosen }) {
  if (operations.length === 0) return html`<${Empty} title=${words.noneFits} />`;
  /** @type {Map<string, Operation[]>} */
  const groups = new Map();
  for (const each of operations) {
    const name = `${each.document}: ${each.tag}`;
    groups.set(name, [...(groups.get(name) ?? []), each]);
  }
  return html`<nav class="api-list" aria-label=${words.find}>
    ${[...groups].map(([name, each]) => html`<section key=${name}><h2>${name}</h2><ul class="plain-list">
      ${each.map(({ key, method, path, summary }) => html`<li key=${key}>
        <a href=${href(link({ operation: key }))} aria-current=${chosen?.key === key ? "true" : undefined} title=${summary}>
          <span class=${`method method-${method.toLowerCase()}`}>${method}</span> <code>${path}</code> <span class="faint">${summary}</span>
        </a>
      </li>`)}
    </ul></section>`)}
  </nav>`;
}
