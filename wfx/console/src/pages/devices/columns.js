// The columns of the list of devices.

import { html } from "../../lib/html.js";
import { href } from "../../lib/router.js";
import { Status } from "../../lib/status.js";
import { strings } from "../../lib/strings.en.js";
import { Short, Time } from "../../lib/text.js";
import { link, set } from "../../lib/url_state.js";

/** @typedef {import("./state.js").Device} Device */
/** @typedef {import("./state.js").JobOfDevice} JobOfDevice */
/** @typedef {import("./filters.js").Filters} Filters */

const words = strings.devices;
const SHOWN = 8; // labels, or attributes, in a cell

/** @param {Filters} filters @returns {import("../../lib/table.js").Column<Device>[]} */
export function columns({ sort, label, attribute }) {
  const names = words.columns;
  return [
    { name: "client", title: html`<${Sorting} sort=${sort} />`, cell: (row) => html`<a href=${placeOf(row)}><${Short} text=${row.clientId} /></a>` },
    { name: "seen", title: names.seen, cell: (row) => html`<${Time} at=${row.lastSeen} />` },
    { name: "job", title: names.job, cell: (row) => html`<${Job} job=${row.currentJob} />` },
    { name: "result", title: names.result, cell: (row) => html`<${Job} job=${row.lastResult} />` },
    { name: "version", title: names.version, cell: (row) => row.version && html`<${Short} text=${row.version} />` },
    { name: "labels", title: names.labels, cell: (row) => row.labels.slice(0, SHOWN).map((each) => tag(each, { label: [...new Set([...label, each])] })) },
    {
      name: "attributes",
      title: names.attributes,
      cell: (row) =>
        Object.entries(row.attributes)
          .slice(0, SHOWN)
          .map(([name, value]) => tag(`${name}=${value}`, { attribute: [...new Set([...attribute, `${name}:${value}`])] })),
    },
  ];
}

/** The page of a device. @param {{ clientId: string }} device */
function placeOf({ clientId }) {
  return href(`devices/${encodeURIComponent(clientId)}`);
}

/** A label that leads to the devices that have it. @param {string} text @param {Record<string, string[]>} filter */
function tag(text, filter) {
  return html`<a class="tag" key=${text} href=${href(link(filter))}><${Short} text=${text} /></a> `;
}

/** A job of a device: its state, and how long it has been so. @param {{ job: JobOfDevice | undefined }} props */
export function Job({ job }) {
  if (!job) return html`<span class="faint">–</span>`;
  return html`<a href=${href(`jobs/${encodeURIComponent(job.id)}`)}><${Status} group=${job.group} state=${job.state} /></a> <span class="faint"><${Time} at=${job.mtime} /></span>`;
}

/** @param {{ sort: "asc" | "desc" }} props */
function Sorting({ sort }) {
  const up = sort === "asc";
  return html`<button type="button" class="plain sorting" aria-label=${`${words.columns.client}, ${up ? words.ascending : words.descending}`} onClick=${() => set({ sort: up ? "desc" : "" })}>
    ${words.columns.client} ${up ? "▲" : "▼"}
  </button>`;
}
