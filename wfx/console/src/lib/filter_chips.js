// Filters of a list as chips, and what adds one. They are kept in the address, under their names.

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "./html.js";
import { strings } from "./strings.en.js";
import { Short } from "./text.js";
import { set } from "./url_state.js";

/**
 * @typedef {object} Kind
 * @property {string} name in the address
 * @property {string} title
 * @property {string} hint how a value looks
 * @property {readonly string[]} [values] that are proposed
 * @property {boolean} [single] there is one of these at most
 */

const words = strings.jobs;
const PATIENCE = 300; // milliseconds without typing after which the text takes effect

/** @param {{ id: string, kinds: readonly Kind[], given: Record<string, readonly string[]>, clear: string, others?: boolean, children?: any }} props `others` tells whether `clear` removes more than these */
export function FilterChips({ id, kinds, given, clear, others = false, children }) {
  const chips = kinds.flatMap((kind) => (given[kind.name] ?? []).map((value) => ({ kind, value })));
  return html`<div class="chips no-print">
    ${children}
    ${chips.map(({ kind, value }) => html`<${Chip}
      key=${`${kind.name} ${value}`}
      title=${kind.title}
      value=${value}
      remove=${() => set({ [kind.name]: (given[kind.name] ?? []).filter((each) => each !== value) })}
    />`)}
    <${Adding} id=${id} kinds=${kinds} given=${given} />
    ${(others || chips.length > 0) && html`<a href=${clear}>${words.clear}</a>`}
  </div>`;
}

/** @param {{ title: string, value: string, remove: () => void }} props */
function Chip({ title, value, remove }) {
  return html`<span class="chip">
    <span class="faint">${title}:</span> <${Short} text=${value} />
    <button type="button" class="plain" aria-label=${`${words.remove} ${title} ${value}`} onClick=${remove}>×</button>
  </span>`;
}

/** @param {{ id: string, kinds: readonly Kind[], given: Record<string, readonly string[]> }} props */
function Adding({ id, kinds, given }) {
  const [shown, show] = useState(false);
  const [index, setIndex] = useState(0);
  const kind = kinds[index];
  if (!shown || !kind) return html`<button type="button" onClick=${() => show(true)}>+ ${words.addFilter}</button>`;
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const value = String(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get("value") ?? "").trim();
    show(false);
    if (value) set({ [kind.name]: kind.single ? value : [...new Set([...(given[kind.name] ?? []), value])] });
  };
  return html`<form class="adding" onSubmit=${submit}>
    <select aria-label=${words.addFilter} value=${String(index)} onChange=${(/** @type {any} */ { currentTarget }) => setIndex(Number(currentTarget.value))}>
      ${kinds.map((each, at) => html`<option value=${String(at)}>${each.title}</option>`)}
    </select>
    <input name="value" list=${`${id}-values`} autocomplete="off" aria-label=${kind.title} placeholder=${kind.hint} ref=${focus} />
    <datalist id=${`${id}-values`}>${(kind.values ?? []).map((each) => html`<option value=${each}></option>`)}</datalist>
    <button type="submit">${words.add}</button>
    <button type="button" class="plain" onClick=${() => show(false)}>${strings.dialog.cancel}</button>
  </form>`;
}

/** A field for the beginning of client ids, which takes effect while it is typed. @param {{ client: string }} props */
export function ClientField({ client }) {
  const timer = useRef(0);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (field.current && field.current !== document.activeElement) field.current.value = client;
  }, [client]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const take = () => {
    clearTimeout(timer.current);
    set({ client: field.current?.value.trim() ?? "" }, { replace: true });
  };
  return html`<input
    class="client-field"
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

/** @param {HTMLElement | null} element */
function focus(element) {
  element?.focus();
}
