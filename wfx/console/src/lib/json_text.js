// JSON as people read it. It stays the text that was sent, so that numbers of any size are shown as they are.

import { html } from "./html.js";
import { visible } from "./format.js";

const LONGEST = 300_000; // characters that are shown at all
const COLOURED = 60_000; // characters that are shown in colours
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Puts each member on a line of its own. @param {string} text */
export function pretty(text) {
  const tokens = text.match(TOKEN) ?? [];
  let depth = 0;
  let result = "";
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1];
    if (token === "{" || token === "[") {
      const isEmpty = next === "}" || next === "]";
      depth += 1;
      result += isEmpty ? token : token + line(depth);
    } else if (token === "}" || token === "]") {
      depth -= 1;
      const last = tokens[index - 1];
      result += last === "{" || last === "[" ? token : line(depth) + token;
    } else if (token === ",") result += token + line(depth);
    else result += token === ":" ? ": " : token;
  }
  return result;
}

/** @param {number} depth */
function line(depth) {
  return `\n${"  ".repeat(Math.max(0, depth))}`;
}

/** What kind of thing a token is. @param {string} token @param {string} rest */
function kindOf(token, rest) {
  if (token.startsWith('"')) return /^\s*:/.test(rest) ? "name" : "text";
  return /^[-\d]/.test(token) ? "number" : /^[a-z]/.test(token) ? "word" : "";
}

/** @param {{ text: string, id?: string }} props */
export function JsonText({ text, id }) {
  const shown = pretty(text.slice(0, LONGEST));
  const cut = text.length > LONGEST;
  return html`<pre class="json" tabindex="0"><code id=${id}>${shown.length > COLOURED ? visible(shown) : coloured(shown)}${cut && "\n…"}</code></pre>`;
}

/** @param {string} text */
function coloured(text) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(TOKEN)) {
    const kind = kindOf(found[0], text.slice(found.index + found[0].length, found.index + found[0].length + 3));
    if (!kind) continue;
    parts.push(text.slice(end, found.index), html`<span class=${`json-${kind}`}>${visible(found[0])}</span>`);
    end = found.index + found[0].length;
  }
  parts.push(text.slice(end));
  return parts;
}
