// Components for what came from outside: texts and times.

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { beginning, exact, relative, visible } from "./format.js";
import { html } from "./html.js";
import { strings } from "./strings.en.js";

/** The present time, each second while the page is seen. */
export const now = signal(Date.now());

export function startClock() {
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, 1000);
}

/** A text of a device or person, isolated from its surroundings, its rest behind "more". @param {{ text?: string | undefined, longest?: number }} props */
export function Text({ text = "", longest }) {
  const [whole, setWhole] = useState(false);
  const start = beginning(text, longest);
  return html`<bdi class="foreign">${visible(whole ? text : start.text)}</bdi>${start.cut &&
  html`<button type="button" class="plain more" aria-expanded=${whole} onClick=${() => setWhole(!whole)}>
    ${whole ? strings.less : `… ${strings.more}`}
  </button>`}`;
}

const CELL = 80; // characters of a text in a cell

/** The beginning of such a text, for the cell of a table. @param {{ text?: string | undefined }} props */
export function Short({ text = "" }) {
  const start = beginning(text, CELL);
  return html`<bdi class="foreign">${visible(start.text)}${start.cut ? " …" : ""}</bdi>`;
}

/** A time: relative, the exact one on hover. @param {{ at?: string | undefined }} props */
export function Time({ at }) {
  return html`<time datetime=${at ?? ""} title=${exact(at)}>${relative(at, now.value)}</time>`;
}
