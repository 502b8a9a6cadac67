import { html } from "../../lib/html.js";

/** @param {{ id: string }} props */
export function View({ id }) {
  return html`<h1>Job ${id}</h1>`;
}
