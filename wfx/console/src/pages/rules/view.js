import { html } from "../../lib/html.js";
import { strings } from "../../lib/strings.en.js";
import { Limits } from "./limits.js";
import { Loaded } from "./loaded.js";
import { Scripts } from "./scripts.js";
import { Tasks } from "./tasks.js";

export function View() {
  return html`
    <div class="heading"><h1>${strings.rules.title}</h1></div>
    <${Loaded} />
    <${Tasks} />
    <${Limits} />
    <${Scripts} />
  `;
}
