// A part of the page, whose content is read on its own: what one cannot tell does not hide the others.

import { html } from "./html.js";
import { Empty, Problem } from "./problem.js";
import { switchedOff } from "./read.js";
import { strings } from "./strings.en.js";
import { Text } from "./text.js";

/** @typedef {import("./read.js").Reading} Reading */
/**
 * @typedef {object} SectionProps
 * @property {string} title
 * @property {Reading} reading
 * @property {{ status: number, command: string }} [off] how the service says that it is switched off, and what switches it on
 * @property {(data: any) => any} show
 */

/** @param {SectionProps} props */
export function Section({ title, reading, off, show }) {
  const { data, error, again } = reading;
  const why = off ? switchedOff(error, off.status) : "";
  return html`<section class="panel" aria-label=${title}>
    <h2>${title}</h2>
    ${why ? html`<${Empty} title=${html`<${Text} text=${why} />`} command=${off?.command} />` : html`<${Problem} error=${error} onRetry=${again} />`}
    ${!data && !error && html`<p class="skeleton">${strings.loading}</p>`}
    ${data && !why && show(data)}
  </section>`;
}

/** @param {{ heads: string[], children?: any, id?: string }} props */
export function Rows({ heads, children, id }) {
  return html`<div class="scrolling"><table class="rows" id=${id}>
    <thead><tr>${heads.map((head) => html`<th scope="col" key=${head}>${head}</th>`)}</tr></thead>
    <tbody>${children}</tbody>
  </table></div>`;
}
