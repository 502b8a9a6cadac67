// How the job stands, and what may come next.

import { html } from "../../lib/html.js";
import { JsonText } from "../../lib/json_text.js";
import { href } from "../../lib/router.js";
import { Progress, Status } from "../../lib/status.js";
import { strings } from "../../lib/strings.en.js";
import { Text, Time } from "../../lib/text.js";
import { sinceOf } from "./history.js";

/** @typedef {import("./history.js").Row} Row */
/** @typedef {import("./state.js").Shown} Shown */
/** @typedef {import("./state.js").JobState} JobState */

const words = strings.job;

/** @param {{ state: JobState, shown: Shown, rows: Row[] }} props */
export function Now({ state, shown, rows }) {
  const { fleet } = shown;
  const { status } = fleet;
  const device = state.device.value;
  return html`
    <p class="job-now"><${Status} group=${fleet.group} state=${fleet.state} /> <span class="faint">${words.since}</span> <${Time} at=${sinceOf(rows)} /></p>
    <table id="job-details">
      <tbody>
        <${Line} name=${words.id}><code>${fleet.id}</code><//>
        <${Line} name=${words.client}><a href=${href(`jobs?${new URLSearchParams({ client: fleet.clientId })}`)}><${Text} text=${fleet.clientId} /></a><//>
        <${Line} name=${words.state}><${Text} text=${fleet.state} /><//>
        <${Line} name=${words.group}><${Text} text=${fleet.group} /><//>
        <${Line} name=${words.tags}><${Tags} tags=${fleet.tags} /><//>
        <${Line} name=${words.workflow}><a href=${href(`workflows/${encodeURIComponent(fleet.workflow)}`)}><${Text} text=${fleet.workflow} /></a><//>
        <${Line} name=${words.created}><${Time} at=${fleet.stime} /><//>
        <${Line} name=${words.modified}><${Time} at=${fleet.mtime} /><//>
        ${status.progress !== undefined && html`<${Line} name=${words.progress}><${Progress} percent=${status.progress} /><//>`}
        ${status.message && html`<${Line} name=${words.message}><${Text} text=${status.message} /><//>`}
        ${device?.lastSeen && html`<${Line} name=${words.seen}><a href=${href(`devices/${encodeURIComponent(fleet.clientId)}`)}><${Time} at=${device.lastSeen} /></a><//>`}
        <${Line} name=${words.next}><${Next} shown=${shown} /><//>
      </tbody>
    </table>
    ${status.context && html`<details><summary>${words.context}</summary><${JsonText} text=${JSON.stringify(status.context)} /></details>`}
  `;
}

/** @param {{ name: string, children?: any }} props */
function Line({ name, children }) {
  return html`<tr><th scope="row">${name}</th><td>${children}</td></tr>`;
}

/** @param {{ tags: string[] }} props */
function Tags({ tags }) {
  return tags.map((tag) => html`<a class="tag" key=${tag} href=${href(`jobs?${new URLSearchParams({ tag })}`)}><${Text} text=${tag} longest=${60} /></a> `);
}

/** Where the job may go from here, and who takes it there. @param {{ shown: Shown }} props */
function Next({ shown }) {
  const steps = nextOf(shown);
  if (steps.length === 0) return words.endState;
  return html`<ul class="next">
    ${steps.map(
      (step) => html`<li key=${`${step.to} ${step.eligible}`}>
        → <${Text} text=${step.to} longest=${60} />
        ${step.eligible === "CLIENT" && html` <span class="faint">${words.byDevice}</span>`}
        ${step.eligible === "WFX" && step.action === "IMMEDIATE" && html` <span class="faint">${words.byServer}</span>`}
      </li>`,
    )}
  </ul>`;
}

/** The transitions from the present state. @param {Shown} shown @returns {{ from: string, to: string, eligible: string, action?: string }[]} */
export function nextOf({ job, fleet }) {
  return (job.workflow.transitions ?? []).filter((/** @type {{ from: string }} */ each) => each.from === fleet.state);
}
