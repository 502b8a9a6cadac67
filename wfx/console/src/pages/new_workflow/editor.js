// A field for a text with numbered lines, and beside it what is wrong with which line.

import { useMemo, useRef } from "preact/hooks";
import { html } from "../../lib/html.js";
import { strings } from "../../lib/strings.en.js";
import { Text } from "../../lib/text.js";

/** @typedef {import("./source.js").Fault} Fault */

const words = strings.workflows;
const MOST_NUMBERED = 20_000; // lines

/** @param {{ text: string, faults: readonly Fault[], onText: (text: string) => void }} props */
export function Editor({ text, faults, onText }) {
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const gutter = useRef(/** @type {HTMLPreElement | null} */ (null));
  const count = useMemo(() => Math.min(MOST_NUMBERED, text.split("\n").length), [text]);
  const scroll = () => {
    if (gutter.current && field.current) gutter.current.scrollTop = field.current.scrollTop;
  };
  return html`<div class="editor">
    <label class="editor-label" for="workflow-source">${words.source}</label>
    <${Gutter} box=${gutter} count=${count} faults=${faults} />
    <textarea id="workflow-source" ref=${field} wrap="off" spellcheck=${false} autocomplete="off" value=${text}
      aria-describedby="workflow-faults" aria-invalid=${faults.length > 0}
      onInput=${(/** @type {InputEvent} */ event) => onText(/** @type {HTMLTextAreaElement} */ (event.currentTarget).value)} onScroll=${scroll}></textarea>
    <${Faults} faults=${faults} onLine=${(/** @type {number} */ line) => field.current && select(field.current, line)} />
  </div>`;
}

/** @param {{ box: any, count: number, faults: readonly Fault[] }} props */
function Gutter({ box, count, faults }) {
  const wrong = new Set(faults.map(({ line }) => line));
  const lines = Array.from({ length: count }, (_, at) => `${wrong.has(at + 1) ? "✖ " : ""}${at + 1}`);
  return html`<pre class="gutter" aria-hidden="true" ref=${box}>${lines.join("\n")}</pre>`;
}

/** @param {{ faults: readonly Fault[], onLine: (line: number) => void }} props */
function Faults({ faults, onLine }) {
  const sorted = [...faults].sort((one, other) => one.line - other.line);
  return html`<div id="workflow-faults" class="faults" role="status">
    <h2>${words.faults}</h2>
    ${sorted.length === 0 && html`<p class="faint">${words.noFaults}</p>`}
    <ol>${sorted.map(({ line, message }, at) => html`<li key=${at}>
      <button type="button" class="plain" onClick=${() => onLine(line)}>✖ ${words.line(line)}</button> <${Text} text=${message} longest=${500} />
    </li>`)}</ol>
  </div>`;
}

/** Selects a line of a field, and shows it. @param {HTMLTextAreaElement} field @param {number} line */
function select(field, line) {
  const lines = field.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  field.focus();
  field.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  field.scrollTop = (field.scrollHeight / lines.length) * Math.max(0, line - 4);
}
