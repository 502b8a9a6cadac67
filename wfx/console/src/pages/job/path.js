// The way a job has taken through its workflow, with the time in each state.

import { duration } from "../../lib/format.js";
import { html } from "../../lib/html.js";
import { Status } from "../../lib/status.js";
import { now } from "../../lib/text.js";
import { timesOf } from "./history.js";

/** @typedef {import("./history.js").Row} Row */
/** @typedef {import("../../lib/workflows.js").Workflow} Workflow */

/** @param {{ workflow: Workflow, path: string[], rows: Row[] }} props */
export function Path({ workflow, path, rows }) {
  const times = timesOf(rows, now.value);
  const groupOf = (/** @type {string} */ state) => workflow.groups?.find((group) => group.states?.includes(state))?.name ?? "";
  return html`<ol class="path" id="graphDiv">
    ${path.map(
      (state, index) => html`<li key=${index} class=${index === path.length - 1 ? "present" : ""}>
        <${Status} group=${groupOf(state)} state=${state} /><span class="faint">${duration(times.get(state) ?? 0)}</span>
      </li>`,
    )}
  </ol>`;
}
