// The columns of the list.

import { html } from "../../lib/html.js";
import { href } from "../../lib/router.js";
import { Progress, Status } from "../../lib/status.js";
import { strings } from "../../lib/strings.en.js";
import { Short, Time } from "../../lib/text.js";
import { set } from "../../lib/url_state.js";

/** @typedef {import("./state.js").Row} Row */
/** @typedef {import("./filters.js").Filters} Filters */

const words = strings.jobs;

/**
 * @param {Filters} filters
 * @param {(id: string) => boolean} isChosen
 * @param {(id: string) => void} toggle
 * @returns {import("../../lib/table.js").Column<Row>[]}
 */
export function columns({ sort }, isChosen, toggle) {
  const names = words.columns;
  return [
    {
      name: "select",
      title: html`<span class="off-screen">${strings.bulk.select}</span>`,
      cell: (row) => html`<input
        type="checkbox"
        aria-label=${`${strings.bulk.select} ${row.clientId.slice(0, 80)}`}
        checked=${isChosen(row.id)}
        disabled=${row.deleted}
        onChange=${() => toggle(row.id)}
      />`,
    },
    { name: "client", title: names.client, cell: (row) => html`<a href=${job(row)}><${Short} text=${row.clientId} /></a>` },
    { name: "status", title: names.status, cell: status },
    { name: "progress", title: names.progress, cell: (row) => html`<${Progress} percent=${row.progress} />` },
    { name: "message", title: names.message, cell: (row) => row.message && html`<${Short} text=${row.message} />` },
    { name: "changed", title: names.changed, cell: (row) => html`<${Time} at=${row.mtime} />` },
    { name: "created", title: html`<${Sorting} sort=${sort} />`, cell: (row) => html`<${Time} at=${row.stime} />` },
    { name: "group", title: names.group, cell: (row) => html`<${Short} text=${row.group} />` },
    {
      name: "workflow",
      title: names.workflow,
      cell: (row) => html`<a href=${href(`workflows/${encodeURIComponent(row.workflow)}`)}><${Short} text=${row.workflow} /></a>`,
    },
    { name: "tags", title: names.tags, cell: (row) => html`<${Short} text=${row.tags.join(", ")} />` },
    { name: "id", title: names.id, cell: (row) => html`<a href=${job(row)}><code>${row.id}</code></a>` },
  ];
}

/** @param {Row} row */
function job(row) {
  return href(`jobs/${encodeURIComponent(row.id)}`);
}

/** @param {Row} row */
function status(row) {
  if (row.deleted) return html`<span class="faint">✕ ${words.deleted}</span>`;
  return html`<${Status} group=${row.group} state=${row.state} />${row.from &&
  html`<span class="from faint"> ← <${Short} text=${row.from} /></span>`}`;
}

/** @param {{ sort: "asc" | "desc" }} props */
function Sorting({ sort }) {
  const down = sort === "desc";
  return html`<button
    type="button"
    class="plain sorting"
    aria-label=${`${words.columns.created}, ${down ? words.newestFirst : words.oldestFirst}`}
    onClick=${() => set({ sort: down ? "asc" : "" })}
  >
    ${words.columns.created} ${down ? "▼" : "▲"}
  </button>`;
}
