// The jobs of a device, newest first.

import { useMemo } from "preact/hooks";
import { titled } from "../../lib/format.js";
import { html } from "../../lib/html.js";
import { href } from "../../lib/router.js";
import { lookOf, Status } from "../../lib/status.js";
import { strings } from "../../lib/strings.en.js";
import { now, Text, Time } from "../../lib/text.js";
import { spansOf } from "./spans.js";
import { MOST } from "./state.js";

/** @typedef {import("./state.js").DeviceState} DeviceState */
/** @typedef {import("./state.js").Shown} Shown */

const words = strings.device;
const names = strings.jobs.columns;
const SPAN_HEIGHT = 12; // pixels

/** @param {{ state: DeviceState, shown: Shown }} props */
export function Jobs({ state, shown: { jobs, more } }) {
  const all = href(`jobs?${new URLSearchParams({ client: state.id })}`);
  const title = more ? words.newestJobs(jobs.length) : words.jobs(jobs.length);
  return html`<section aria-label=${strings.jobs.title}>
    <div class="heading"><h2>${title}</h2><a href=${all}>${words.allJobs}</a></div>
    ${jobs.length > 0 && html`<${Spans} jobs=${jobs} />`}
    ${jobs.length > 0 && html`<div class="scrolls"><table class="plain-table" id="device-jobs">
      <thead><tr>${[names.created, names.status, names.changed, names.workflow, names.message, names.tags, names.id].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${jobs.map((job) => html`<${Row} key=${job.id} job=${job} />`)}</tbody>
    </table></div>`}
    ${more && jobs.length < MOST && html`<button type="button" onClick=${() => void state.older()}>${words.older}</button>`}
  </section>`;
}

/** The same as a picture: when each was at work. @param {{ jobs: import("./state.js").Job[] }} props */
function Spans({ jobs }) {
  const spans = useMemo(() => spansOf(jobs, now.peek()), [jobs]); // which are read anew every few seconds
  const rows = Math.max(...spans.map(({ row }) => row)) + 1;
  return html`<figure class="spans" id="device-spans" aria-hidden="true">
    <div style=${{ height: `${rows * SPAN_HEIGHT}px` }}>
      ${spans.map(({ job, left, width, row }) => html`<a
        key=${job.id}
        class=${`tone-${lookOf(job.group).tone}`}
        href=${href(`jobs/${encodeURIComponent(job.id)}`)}
        tabindex="-1"
        title=${titled(`${job.workflow}: ${job.state}`)}
        style=${{ left: `${left}%`, width: `${width}%`, top: `${row * SPAN_HEIGHT}px` }}
      ></a>`)}
    </div>
    <figcaption><${Time} at=${spans[0]?.job.stime} /><span>${strings.time.now}</span></figcaption>
  </figure>`;
}

/** @param {{ job: import("./state.js").Job }} props */
function Row({ job }) {
  return html`<tr>
    <td><${Time} at=${job.stime} /></td>
    <td><${Status} group=${job.group} state=${job.state} /></td>
    <td><${Time} at=${job.mtime} /></td>
    <td><a href=${href(`workflows/${encodeURIComponent(job.workflow)}`)}><${Text} text=${job.workflow} longest=${60} /></a></td>
    <td>${job.message && html`<${Text} text=${job.message} />`}</td>
    <td><${Text} text=${job.tags.join(", ")} longest=${100} /></td>
    <td><a href=${href(`jobs/${encodeURIComponent(job.id)}`)}><code>${job.id}</code></a></td>
  </tr>`;
}
