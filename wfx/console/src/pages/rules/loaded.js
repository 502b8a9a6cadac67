// The rules that are loaded.

import { RULES } from "../../lib/base.js";
import { html } from "../../lib/html.js";
import { useRead } from "../../lib/read.js";
import { number, strings } from "../../lib/strings.en.js";
import { Short, Text, Time } from "../../lib/text.js";
import { Rows, Section } from "../../lib/section.js";

/** @typedef {{ id: string, description: string, enabled: boolean, event_types: string[], sources?: string[], actions: { id: string, type: string }[], matched: number, last_failure?: { id: string, message: string, time: string } }} Scenario */
/** @typedef {{ file: string, loaded?: string, sha256?: string, scenarios: Scenario[], faults?: unknown[], warnings?: unknown[] }} Rules */

const words = strings.rules;

export function Loaded() {
  const off = { status: 404, command: words.rulesCommand };
  return html`<${Section} title=${words.loaded} reading=${useRead(`${RULES}/rules`)} off=${off} show=${(/** @type {Rules} */ rules) => html`<${Shown} rules=${rules} />`} />`;
}

/** @param {{ rules: Rules }} props */
function Shown({ rules }) {
  const { file, loaded, sha256, scenarios, faults = [], warnings = [] } = rules;
  return html`
    <dl>
      <dt>${words.file}</dt><dd><${Text} text=${file} /></dd>
      <dt>${words.read}</dt><dd>${loaded ? html`<${Time} at=${loaded} />` : words.never}</dd>
      ${sha256 && html`<dt>${words.sha}</dt><dd><code>${sha256}</code></dd>`}
    </dl>
    <${Remarks} title=${words.faults} remarks=${faults} />
    <${Remarks} title=${words.warnings} remarks=${warnings} />
    ${scenarios.length === 0
      ? html`<p class="faint">${words.noScenarios}</p>`
      : html`<${Rows} id="scenarios" heads=${[words.scenario, words.events, words.actions, words.matched, words.lastFailure]}>
          ${scenarios.map((scenario) => html`<${Line} key=${scenario.id} scenario=${scenario} />`)}
        <//>`}
  `;
}

/** @param {{ scenario: Scenario }} props */
function Line({ scenario }) {
  const { id, description, enabled, event_types: types, sources, actions, matched, last_failure: failure } = scenario;
  return html`<tr>
    <td><code><${Short} text=${id} /></code> ${!enabled && html`<strong>(${words.off})</strong>`}<br /><${Text} text=${description} /></td>
    <td><${Text} text=${types.join(", ")} /> ${sources && html`<span class="faint">(<${Text} text=${sources.join(", ")} />)</span>`}</td>
    <td><${Text} text=${actions.map((action) => `${action.id}: ${action.type}`).join(", ")} /></td>
    <td>${number(matched)}</td>
    <td>${failure && html`<code><${Short} text=${failure.id} /></code> <${Text} text=${failure.message} /> <span class="faint"><${Time} at=${failure.time} /></span>`}</td>
  </tr>`;
}

/** What is to be said about the file. @param {{ title: string, remarks: readonly unknown[] }} props */
function Remarks({ title, remarks }) {
  if (remarks.length === 0) return null;
  return html`<h3>${title}</h3><ul>${remarks.map((remark, index) => html`<li key=${index}><${Text} text=${told(remark)} /></li>`)}</ul>`;
}

/** A remark as a line. @param {unknown} remark @returns {string} */
export function told(remark) {
  if (typeof remark === "string") return remark;
  const { message, line, column } = /** @type {{ message?: string, line?: number, column?: number }} */ (remark ?? {});
  if (message === undefined) return JSON.stringify(remark);
  return line === undefined ? message : `${words.line(line)}${column === undefined ? "" : `:${column}`}: ${message}`;
}
