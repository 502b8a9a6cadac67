// How much work may begin, and how much was refused.

import { RULES } from "../../lib/base.js";
import { html } from "../../lib/html.js";
import { Empty } from "../../lib/problem.js";
import { useRead } from "../../lib/read.js";
import { number, strings } from "../../lib/strings.en.js";
import { Text } from "../../lib/text.js";
import { Rows, Section } from "../../lib/section.js";

/** @typedef {{ kind: string, scope: string, limit: string, taken: number, refused: number }} Limit */
/** @typedef {{ content: Limit[], max_allowed_repetitions: number, max_command_duration: number, warning?: string }} Limited */

const words = strings.rules;

export function Limits() {
  return html`<${Section} title=${words.limits} reading=${useRead(`${RULES}/limits`)} show=${(/** @type {Limited} */ limited) => html`<${Shown} limited=${limited} />`} />`;
}

/** @param {{ limited: Limited }} props */
function Shown({ limited }) {
  const { content, max_allowed_repetitions: repetitions, max_command_duration: duration, warning } = limited;
  return html`
    ${warning && html`<p><strong><${Text} text=${warning} /></strong></p>`}
    ${content.length === 0
      ? html`<${Empty} title=${words.noLimits} command=${words.limitsCommand} />`
      : html`<${Rows} id="limits" heads=${[words.what, words.scope, words.limit, words.taken, words.refused]}>
          ${content.map((each) => html`<tr key=${`${each.kind} ${each.scope}`}>
            <td>${each.kind}</td><td>${each.scope}</td><td><code>${each.limit}</code></td><td>${number(each.taken)}</td><td>${number(each.refused)}</td>
          </tr>`)}
        <//>`}
    <p class="faint">${words.repetitions(repetitions)} ${words.duration(duration)}</p>
  `;
}
