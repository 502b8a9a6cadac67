// The columns of the list of events.

import { whoOf } from "../../lib/actor.js";
import { html } from "../../lib/html.js";
import { numberOf } from "../../lib/live_stream.js";
import { href } from "../../lib/router.js";
import { Progress, Status } from "../../lib/status.js";
import { strings } from "../../lib/strings.en.js";
import { Short, Time } from "../../lib/text.js";
import { link } from "../../lib/url_state.js";
import { groupOf } from "../../lib/workflows.js";

/** @typedef {import("./log.js").Row} Row */

const words = strings.events;

/** @type {Record<string, string>} */
const ICONS = { CREATE: "✚", UPDATE_STATUS: "→", UPDATE_DEFINITION: "✎", ADD_TAGS: "#", DELETE_TAGS: "#", DELETE: "✕" };
export const ACTIONS = Object.keys(ICONS);

/** @returns {import("../../lib/table.js").Column<Row>[]} */
export function columns() {
  const names = words.columns;
  return [
    { name: "number", title: names.number, cell: ({ id }) => html`<code>${numberOf(id)}</code>` },
    { name: "time", title: names.time, cell: ({ ctime }) => html`<${Time} at=${ctime} />` },
    { name: "action", title: names.action, cell: action },
    { name: "state", title: names.state, cell: state },
    { name: "client", title: names.client, cell: ({ job }) => html`<a href=${href(`devices/${encodeURIComponent(job.clientId)}`)}><${Short} text=${job.clientId} /></a>` },
    { name: "workflow", title: names.workflow, cell: ({ job }) => html`<a href=${href(link({ workflow: job.workflow, event: "" }))}><${Short} text=${job.workflow} /></a>` },
    { name: "who", title: names.who, cell: (row) => html`<${Short} text=${whoOf(row)} />` },
    { name: "job", title: names.job, cell: ({ job }) => html`<a href=${href(`jobs/${encodeURIComponent(job.id)}`)}><code>${job.id}</code></a>` },
  ];
}

/** @param {Row} row */
function action(row) {
  return html`<span aria-hidden="true" class="event-icon">${ICONS[row.action] ?? "·"}</span> ${words.actions[row.action] ?? html`<${Short} text=${row.action} />`}`;
}

/** @param {Row} row */
function state({ job, from }) {
  if (job.state === undefined) return job.tags && html`<${Short} text=${job.tags.join(", ")} />`;
  const group = groupOf(job.workflow, job.state) ?? "";
  return html`${from !== undefined && from !== job.state && html`<span class="faint"><${Short} text=${from} /> → </span>`}<${Status} group=${group} state=${job.state} />
    ${job.progress !== undefined && html` <${Progress} percent=${job.progress} />`} ${job.message && html` <span class="faint"><${Short} text=${job.message} /></span>`}`;
}
