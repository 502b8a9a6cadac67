// Where the settings and the check of the store are: not here, since they may tell more than an operator may know.

import { html } from "../../lib/html.js";
import { strings } from "../../lib/strings.en.js";

const words = strings.system;

export function Settings() {
  return html`<section class="panel" aria-label=${words.settings}>
    <h2>${words.settings}</h2>
    <p>${words.settingsText}</p><pre class="json"><code>${words.settingsCommand}</code></pre>
    <p>${words.settingsToken}</p><pre class="json"><code>${words.settingsTokenCommand}</code></pre>
    <p>${words.check}</p><pre class="json"><code>${words.checkCommand}</code></pre>
  </section>`;
}
