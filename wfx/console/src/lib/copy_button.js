// A button that copies a text, and says that it has.

import { useState } from "preact/hooks";
import { copy } from "./clipboard.js";
import { html } from "./html.js";
import { strings } from "./strings.en.js";

const SHOWN = 1500; // milliseconds

/** @param {{ name: string, text: () => string }} props */
export function CopyButton({ name, text }) {
  const [done, setDone] = useState(false);
  const run = async () => {
    if (!(await copy(text()))) return;
    setDone(true);
    setTimeout(() => setDone(false), SHOWN);
  };
  return html`<button type="button" class="copy" onClick=${run}>${done ? `✓ ${strings.copied}` : name}</button>`;
}
