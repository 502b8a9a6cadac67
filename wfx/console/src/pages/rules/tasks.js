// Tasks that failed and are not tried any more, unless somebody has them done once more.

import { useState } from "preact/hooks";
import { request } from "../../lib/api.js";
import { RULES } from "../../lib/base.js";
import { Dialog } from "../../lib/dialog.js";
import { html } from "../../lib/html.js";
import { Problem } from "../../lib/problem.js";
import { useRead } from "../../lib/read.js";
import { number, strings } from "../../lib/strings.en.js";
import { Short, Text, Time } from "../../lib/text.js";
import { Rows, Section } from "../../lib/section.js";

/** @typedef {{ id: number, kind: string, rule: string, action: string, target: string, attempts: number, message: string, mtime: string }} Task */

const words = strings.rules;
const MOST = 50; // tasks that are shown

export function Tasks() {
  const reading = useRead(`${RULES}/tasks`, { state: "FAILED", sort: "desc", limit: MOST });
  const [asked, ask] = useState(/** @type {Task | undefined} */ (undefined));
  const close = () => {
    ask(undefined);
    reading.again();
  };
  const show = (/** @type {{ content: Task[], next?: number }} */ page) => html`
    ${page.content.length === 0 && html`<p class="faint">✔ ${words.noTasks}</p>`}
    ${page.content.length > 0 && html`<${Rows} id="failed-tasks" heads=${[words.task, words.kind, words.rule, words.target, words.attempts, words.message, words.when, words.replay]}>
      ${page.content.map((task) => html`<${Line} key=${task.id} task=${task} onReplay=${() => ask(task)} />`)}
    <//>`}
    ${page.next !== undefined && html`<p class="faint">${words.more} <code>${words.allTasks}</code></p>`}
  `;
  return html`<${Section} title=${words.tasks} reading=${reading} show=${show} />
    ${asked && html`<${Replay} task=${asked} onClose=${close} />`}`;
}

/** @param {{ task: Task, onReplay: () => void }} props */
function Line({ task, onReplay }) {
  return html`<tr>
    <td>${task.id}</td>
    <td>${task.kind}</td>
    <td><code><${Short} text=${task.rule} /></code> <span class="faint"><${Short} text=${task.action} /></span></td>
    <td><${Text} text=${task.target} /></td>
    <td>${number(task.attempts)}</td>
    <td><${Text} text=${task.message} /></td>
    <td><${Time} at=${task.mtime} /></td>
    <td><button type="button" aria-label=${`${words.replay} ${task.id}`} onClick=${onReplay}>${words.replay}</button></td>
  </tr>`;
}

/** @param {{ task: Task, onClose: () => void }} props */
function Replay({ task, onClose }) {
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      await request(`${RULES}/tasks/${task.id}/replay`, { method: "POST" });
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const action = html`<button type="button" class="primary" disabled=${busy} onClick=${run}>${words.replay}</button>`;
  return html`<${Dialog} title=${words.replayTitle(task.id)} onClose=${onClose} actions=${action}>
    <p><${Text} text=${`${task.kind}: ${task.target}`} /></p><p>${words.replayText}</p><${Problem} error=${error} />
  <//>`;
}
