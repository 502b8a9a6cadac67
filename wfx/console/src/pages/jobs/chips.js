// The filters as chips, and what adds one.

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../../lib/html.js";
import { href } from "../../lib/router.js";
import { strings } from "../../lib/strings.en.js";
import { Short } from "../../lib/text.js";
import { set } from "../../lib/url_state.js";
import { any, MANY, NO_GROUP, ONE } from "./filters.js";

/** @typedef {import("./filters.js").Filters} Filters */
/** @typedef {import("./state.js").Count} Count */

const words = strings.jobs;
const OFFERED = /** @type {const} */ (["group", "state", "workflow", "tag", "unchanged", "after", "before"]);
const PATIENCE = 300; // milliseconds without typing after which the text takes effect

/** @param {{ filters: Filters, counts: Count[] }} props */
export function Chips({ filters, counts }) {
  return html`<div class="chips no-print">
    <${Client} client=${filters.client} />
    ${ONE.filter((name) => name !== "client" && filters[name]).map(
      (name) => html`<${Chip} key=${name} name=${name} value=${filters[name]} remove=${() => set({ [name]: "" })} />`,
    )}
    ${MANY.flatMap((name) =>
      filters[name].map(
        (value) => html`<${Chip}
          key=${`${name} ${value}`}
          name=${name}
          value=${value}
          remove=${() => set({ [name]: filters[name].filter((each) => each !== value) })}
        />`,
      ),
    )}
    <${Adding} filters=${filters} counts=${counts} />
    ${any(filters) && html`<a href=${href("jobs")}>${words.clear}</a>`}
  </div>`;
}

/** @param {{ name: keyof typeof words.filters, value: string, remove: () => void }} props */
function Chip({ name, value, remove }) {
  return html`<span class="chip">
    <span class="faint">${words.filters[name]}:</span> <${Short} text=${value} />
    <button type="button" class="plain" aria-label=${`${words.remove} ${words.filters[name]} ${value}`} onClick=${remove}>×</button>
  </span>`;
}

/** @param {{ client: string }} props */
function Client({ client }) {
  const timer = useRef(0);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (field.current && field.current !== document.activeElement) field.current.value = client;
  }, [client]);
  const take = () => {
    clearTimeout(timer.current);
    set({ client: field.current?.value.trim() ?? "" }, { replace: true });
  };
  return html`<input
    id="jobs-client"
    type="search"
    ref=${field}
    defaultValue=${client}
    maxlength="255"
    spellcheck=${false}
    aria-label=${words.clientHint}
    placeholder=${words.clientHint}
    onInput=${() => {
      clearTimeout(timer.current);
      timer.current = /** @type {any} */ (setTimeout(take, PATIENCE));
    }}
    onChange=${take}
  />`;
}

/** @param {{ filters: Filters, counts: Count[] }} props */
function Adding({ filters, counts }) {
  const [shown, show] = useState(false);
  const [name, setName] = useState(/** @type {typeof OFFERED[number]} */ ("group"));
  if (!shown) return html`<button type="button" onClick=${() => show(true)}>+ ${words.addFilter}</button>`;
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const given = String(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get("value") ?? "").trim();
    show(false);
    if (!given) return;
    set({ [name]: name === "group" || name === "tag" ? [...new Set([...filters[name], given])] : given });
  };
  return html`<form class="adding" onSubmit=${submit}>
    <select
      aria-label=${words.addFilter}
      value=${name}
      onChange=${(/** @type {any} */ { currentTarget }) => setName(currentTarget.value)}
    >
      ${OFFERED.map((each) => html`<option value=${each}>${words.filters[each]}</option>`)}
    </select>
    <input name="value" list="filter-values" autocomplete="off" aria-label=${words.filters[name]} placeholder=${words.filterHints[name]} ref=${focus} />
    <datalist id="filter-values">${proposals(name, counts).map((each) => html`<option value=${each}></option>`)}</datalist>
    <button type="submit">${words.add}</button>
    <button type="button" class="plain" onClick=${() => show(false)}>${strings.dialog.cancel}</button>
  </form>`;
}

/** @param {HTMLElement | null} element */
function focus(element) {
  element?.focus();
}

/** @param {string} name @param {Count[]} counts */
function proposals(name, counts) {
  if (name !== "group" && name !== "state" && name !== "workflow") return [];
  return [...new Set(counts.map((each) => each[name] || NO_GROUP))].slice(0, 200).sort();
}
