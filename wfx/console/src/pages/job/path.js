// The way a job has taken through its workflow, with the time in each state, on the workflow's graph.

import { useMemo } from "preact/hooks";
import { duration } from "../../lib/format.js";
import { Graph } from "../../lib/graph/view.js";
import { html } from "../../lib/html.js";
import { strings } from "../../lib/strings.en.js";
import { now } from "../../lib/text.js";
import { timesOf } from "./history.js";

/** @typedef {import("./history.js").Row} Row */
/** @typedef {import("../../lib/workflows.js").Workflow} Workflow */

/** @param {{ workflow: Workflow, path: string[], rows: Row[] }} props */
export function Path({ workflow, path, rows }) {
  // Each reading of the job has its workflow anew, which never changes: it is laid out once.
  const drawn = useMemo(() => workflow, [workflow.name]);
  const times = [...timesOf(rows, now.value)].map(([state, seconds]) => /** @type {const} */ ([state, duration(seconds)]));
  return html`<mermaid class="mermaid">
    <${Graph} id="graphDiv" label=${workflow.name} workflow=${drawn} present=${path.at(-1)} taken=${path}
      notes=${new Map(times)} noteTitle=${strings.graph.time} />
  </mermaid>`;
}
