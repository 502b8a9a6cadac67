// Keys that work everywhere, and the list of all.

import { useState } from "preact/hooks";
import { Dialog } from "../lib/dialog.js";
import { html } from "../lib/html.js";
import { knownKeys, useKeys } from "../lib/keyboard.js";
import { navigate } from "../lib/router.js";
import { strings } from "../lib/strings.en.js";
import { pages } from "../pages/table.js";

export function Keys() {
  const [shown, show] = useState(false);
  useKeys(
    () => [
      { keys: "?", does: strings.keys.help, run: () => show(true) },
      { keys: "/", does: strings.keys.search, run: () => document.getElementById("search")?.focus() },
      ...pages.flatMap((page) =>
        page.key ? [{ keys: `g ${page.key}`, does: strings.keys.go(page.title), run: () => navigate(page.route) }] : [],
      ),
    ],
    [],
  );
  if (!shown) return null;
  return html`<${Dialog} title=${strings.keys.title} onClose=${() => show(false)}>
    <table class="keys">
      <tbody>
        ${knownKeys().map((key) => html`<tr key=${key.keys}><td><kbd>${key.keys}</kbd></td><td>${key.does}</td></tr>`)}
      </tbody>
    </table>
  <//>`;
}
