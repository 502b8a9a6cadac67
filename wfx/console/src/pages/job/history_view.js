// The history as a table.

import { html } from "../../lib/html.js";
import { strings } from "../../lib/strings.en.js";
import { Text, Time } from "../../lib/text.js";

/** @typedef {import("./history.js").Row} Row */
/** @typedef {import("./history.js").Change} Change */

const words = strings.job;
const MOST = 500; // rows that are shown; the JSON has all that the service sends

/** @param {{ rows: Row[] }} props */
export function History({ rows }) {
  return html`<div class="scrolls"><table class="plain-table" id="job-history">
    <thead><tr><th scope="col">${words.when}</th><th scope="col">${words.who}</th><th scope="col">${words.what}</th><th scope="col">${words.changed}</th></tr></thead>
    <tbody>
      ${rows.slice(0, MOST).map(
        (row, index) => html`<tr key=${rows.length - index}>
          <td><${Time} at=${row.at} /></td>
          <td><${Text} text=${row.who} longest=${60} /></td>
          <td>${row.from && row.from !== row.to && html`<bdi>${row.from}</bdi> → `}<strong><bdi>${row.to}</bdi></strong></td>
          <td>${index === rows.length - 1 ? words.createdRow : html`<${Changes} row=${row} />`}</td>
        </tr>`,
      )}
    </tbody>
  </table></div>`;
}

/** @param {{ row: Row }} props */
function Changes({ row }) {
  return html`<ul class="changes">
    ${row.definition && html`<li>~ ${words.definitionChanged}</li>`}
    ${row.changes.map((change) => html`<li key=${change.path}><${One} change=${change} /></li>`)}
    ${row.left > 0 && html`<li class="faint">${words.left(row.left)}</li>`}
  </ul>`;
}

/** @param {{ change: Change }} props */
function One({ change: { kind, path, from, to } }) {
  const shown = kind === "-" ? from : to;
  return html`<span aria-hidden="true">${kind}</span> <${Text} text=${path} longest=${60} />: ${kind === "~" &&
  html`<${Text} text=${textOf(from)} longest=${100} /> → `}<${Text} text=${textOf(shown)} />`;
}

/** @param {unknown} value */
function textOf(value) {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
