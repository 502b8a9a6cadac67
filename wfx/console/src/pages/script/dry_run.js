// The form that runs a script with a payload, of which nothing stays.

import { useState } from "preact/hooks";
import { ApiError, request } from "../../lib/api.js";
import { html } from "../../lib/html.js";
import { JsonText } from "../../lib/json_text.js";
import { Problem } from "../../lib/problem.js";
import { strings } from "../../lib/strings.en.js";

const words = strings.rules;

/** The body of the request; the payload stays as it was written. Throws if it is no JSON. @param {string} payload */
export function bodyOf(payload) {
  try {
    JSON.parse(payload);
  } catch (error) {
    throw new Error(words.noJson(error instanceof Error ? error.message : ""));
  }
  return `{"payload":${payload}}`;
}

/** @param {{ path: string, version: string }} props */
export function DryRun({ path, version }) {
  const [payload, setPayload] = useState("{}");
  const [result, setResult] = useState("");
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const [busy, setBusy] = useState(false);
  const run = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setResult("");
    setError(undefined);
    try {
      setResult((await request(`${path}/run`, { method: "POST", query: { version }, text: bodyOf(payload) })).text);
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  const line = error instanceof ApiError ? error.data?.line : undefined;
  return html`<section class="panel" aria-label=${words.dryRun}>
    <h2>${words.dryRun}</h2>
    <p class="faint">${words.dryText}</p>
    <form class="dry-run" onSubmit=${run}>
      <label>${words.payload}
        <textarea rows="8" spellcheck=${false} value=${payload} onInput=${(/** @type {InputEvent} */ event) => setPayload(/** @type {HTMLTextAreaElement} */ (event.currentTarget).value)}></textarea>
      </label>
      <button class="primary" disabled=${busy}>${words.run}</button>
    </form>
    <${Problem} error=${error} />
    ${line !== undefined && html`<p>${words.line(line)}</p>`}
    ${result && html`<div role="status"><h3>${words.result}</h3><${JsonText} text=${result} /></div>`}
  </section>`;
}
