/**
 * What a graph shows, as a table: for those who cannot see it, and for print.
 */
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { href } from "../router.js";
import { Status } from "../status.js";
import { strings } from "../strings.en.js";
import { Text } from "../text.js";

const words = strings.graph;

/**
 * The rows are made once the reader asks for them.
 * @param {{workflow: import("./model.js").Workflow, shown: import("./parts.js").Shown, noteTitle: string}} props
 */
export function StatesTable({ workflow, shown, noteTitle }) {
  const [open, setOpen] = useState(false);
  return html`<details class="graph-table" onToggle=${(/** @type {Event} */ event) => setOpen(/** @type {HTMLDetailsElement} */ (event.currentTarget).open)}>
    <summary>${words.asTable}</summary>
    ${open && html`<div class="scrolling" tabindex="0" role="region" aria-label=${words.asTable}><table>
      <thead><tr>
        <th scope="col">${words.state}</th>${noteTitle && html`<th scope="col">${noteTitle}</th>`}
        <th scope="col">${words.meaning}</th><th scope="col">${words.leadsTo}</th>
      </tr></thead>
      <tbody>${rowsOf(workflow).map((row) => html`<${Row} key=${row.name} row=${row} shown=${shown} hasNotes=${noteTitle !== ""} />`)}</tbody>
    </table></div>`}
  </details>`;
}

/**
 * List states with their groups and where they lead.
 * @param {import("./model.js").Workflow} workflow
 */
export function rowsOf(workflow) {
  const groups = new Map();
  for (const { name, states } of [...(workflow.groups ?? [])].reverse()) for (const state of states ?? []) groups.set(state, name);
  /** @type {Map<string, string[]>} */
  const leading = new Map(workflow.states.map(({ name }) => [name, []]));
  for (const { from, to, eligible, action } of workflow.transitions ?? []) {
    leading.get(from)?.push(`${to} (${eligible}${action ? ` ${action}` : ""})`);
  }
  return workflow.states.map(({ name, description = "" }) => ({
    name, description, group: groups.get(name) ?? "", leadsTo: leading.get(name)?.join(", ") ?? "",
  }));
}

/** @param {{row: ReturnType<typeof rowsOf>[number], shown: import("./parts.js").Shown, hasNotes: boolean}} props */
function Row({ row, shown, hasNotes }) {
  const note = shown.notes?.get(row.name) ?? "";
  const to = shown.linkOf?.(row.name);
  return html`<tr aria-current=${shown.present === row.name ? "step" : undefined}>
    <th scope="row"><${Status} group=${row.group} state=${row.name} /></th>
    ${hasNotes && html`<td>${to ? html`<a href=${href(to)}>${note}</a>` : note}</td>`}
    <td><${Text} text=${row.description} /></td>
    <td><${Text} text=${row.leadsTo} /></td>
  </tr>`;
}
