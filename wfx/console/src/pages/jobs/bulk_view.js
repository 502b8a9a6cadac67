// The dialog of bulk work: what, a look at what it would do, the work itself with a stop button, and its result.

import { useState } from "preact/hooks";
import { Dialog } from "../../lib/dialog.js";
import { html } from "../../lib/html.js";
import { Problem } from "../../lib/problem.js";
import { saveFile } from "../../lib/save_file.js";
import { number, strings } from "../../lib/strings.en.js";
import { Short, Text } from "../../lib/text.js";
import { UndoButton } from "./undo_view.js";
import { useBulk } from "./use_bulk.js";

/** @typedef {import("./bulk.js").Work} Work */
/** @typedef {import("./bulk.js").Which} Which */
/** @typedef {import("./bulk.js").Item} Item */
/** @typedef {import("./bulk.js").Result} Result */
/** @typedef {import("./bulk.js").Seen} Found */

const words = strings.bulk;
const TYPED_ABOVE = 100; // jobs beyond which the number has to be typed

/** @param {{ kind: Work["kind"], which: Which, states: string[], onClose: () => void }} props */
export function BulkDialog({ kind, which, states, onClose }) {
  const { seen, result, undo, error, busy, ended, next, stop } = useBulk(kind, which);
  const [typed, setTyped] = useState("");
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    void next(() => workOf(kind, form));
  };
  const close = () => {
    stop();
    onClose();
  };
  const needsNumber = seen !== undefined && seen.count > TYPED_ABOVE;
  const blocked = busy || (needsNumber && typed.replace(/[,.\s]/g, "") !== String(seen.count)) || seen?.count === 0;
  const action = !result && html`<button type="submit" form="bulk" disabled=${blocked} class=${seen && kind === "delete" ? "danger" : "primary"}>
    ${seen ? words.go(words.titles[kind], seen.count) : words.look}
  </button>`;
  return html`<${Dialog} title=${words.titles[kind]} onClose=${close} actions=${action}>
    <form id="bulk" onSubmit=${submit}>
      ${!seen && html`<${Fields} kind=${kind} states=${states} />`}
      ${seen && !result && html`<${Seen} seen=${seen} />`}
      ${needsNumber && !result && html`<label>${words.type(number(seen.count))} <input inputmode="numeric" autocomplete="off" value=${typed}
        onInput=${(/** @type {any} */ { currentTarget }) => setTyped(currentTarget.value)} /></label>`}
    </form>
    ${result && html`<${Outcome} result=${result} ended=${ended} stop=${stop} />`}
    ${undo.length > 0 && html`<${UndoButton} steps=${undo} />`}
    <${Problem} error=${error} />
  <//>`;
}

/** @param {Work["kind"]} kind @param {FormData} form @returns {Work} */
function workOf(kind, form) {
  const text = (/** @type {string} */ name) => String(form.get(name) ?? "").trim();
  const tags = (/** @type {string} */ name) => text(name).split(",").map((tag) => tag.trim()).filter(Boolean);
  if (kind === "update") return { kind, status: { state: text("state"), ...(text("message") && { message: text("message") }) } };
  return kind === "tag" ? { kind, add: tags("add"), remove: tags("remove") } : { kind };
}

/** @param {{ kind: Work["kind"], states: string[] }} props */
function Fields({ kind, states }) {
  if (kind === "delete") return html`<p>${words.deletion}</p>`;
  if (kind === "retry") return html`<p>${words.retrying}</p>`;
  if (kind === "tag") return html`<label>${words.add} <input name="add" autocomplete="off" /></label><label>${words.remove} <input name="remove" autocomplete="off" /></label>`;
  return html`<label>${words.state} <input name="state" required list="bulk-states" autocomplete="off" /></label>
    <datalist id="bulk-states">${states.map((state) => html`<option value=${state}></option>`)}</datalist>
    <label>${strings.job.actions.message} <input name="message" maxlength="1024" autocomplete="off" /></label>`;
}

/** @param {{ seen: Found }} props */
function Seen({ seen }) {
  return html`<p><strong>${words.concerns(seen.count)}</strong>${seen.failed > 0 && html` ${words.refused(seen.failed)}`}</p>
    <${Items} items=${seen.items} />
    ${seen.count > seen.items.length && html`<p class="faint">${words.rest(seen.count - seen.items.length)}</p>`}`;
}

/** @param {{ items: Item[] }} props */
function Items({ items }) {
  return html`<ul class="bulk-items">
    ${items.slice(0, 20).map(
      (item, index) => html`<li key=${index}>
        <${Short} text=${item.clientId ?? item.id ?? ""} /> <span class="faint"><${Short} text=${item.state ?? ""} /></span>
        ${item.error && html` <span class="tone-failed refused">✖ <${Text} text=${item.error.message} /></span>`}
      </li>`,
    )}
  </ul>`;
}

/** @param {{ result: Result, ended: boolean, stop: () => void }} props */
function Outcome({ result, ended, stop }) {
  const failed = result.items.filter((item) => item.error);
  return html`<p role="status">${words.progress(result.done, result.failed, result.count)}${result.stopped && ` ${words.stopped}`}</p>
    <progress max=${Math.max(1, result.count)} value=${result.done + result.failed} aria-label=${words.working}></progress>
    ${!ended && html`<button type="button" onClick=${stop}>${words.stop}</button>`}
    <${Items} items=${failed} />
    ${ended && html`<button type="button" onClick=${() => saveFile("wfx-result.json", "application/json", [JSON.stringify(result, null, 2)])}>${words.save}</button>`}`;
}
