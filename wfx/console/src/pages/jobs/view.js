import { html } from "../../lib/html.js";

export function View() {
  return html`<h1>Jobs</h1>`;
}
