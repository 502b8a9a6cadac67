// An error as people see it: what is wrong, what to do, and a button to try again.

import { html } from "./html.js";
import { strings } from "./strings.en.js";
import { Text } from "./text.js";

/** @param {{ error: unknown, onRetry?: () => void }} props */
export function Problem({ error, onRetry }) {
  if (!error) return null;
  const { message, advice } = /** @type {{ message?: string, advice?: string }} */ (error);
  return html`<div class="problem" role="alert">
    <span class="icon" aria-hidden="true">⚠</span>
    <span><${Text} text=${message ?? String(error)} longest=${500} /> ${advice}</span>
    ${onRetry && html`<button type="button" onClick=${onRetry}>${strings.errors.retry}</button>`}
  </div>`;
}

/** What is shown where there is nothing: what that means, and the command that changes it. @param {{ title: string, command?: string, children?: any }} props */
export function Empty({ title, command, children }) {
  return html`<div class="empty">
    <p>${title}</p>
    ${command && html`<pre><code>${command}</code></pre>`} ${children}
  </div>`;
}
