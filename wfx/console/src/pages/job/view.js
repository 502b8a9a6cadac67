// The page of a job.

import { useMemo } from "preact/hooks";
import { html } from "../../lib/html.js";
import { Empty, Problem } from "../../lib/problem.js";
import { href } from "../../lib/router.js";
import { strings } from "../../lib/strings.en.js";
import { useSubject } from "../../lib/subject.js";
import { Text } from "../../lib/text.js";
import { Actions } from "./actions.js";
import { pathOf, rowsOf } from "./history.js";
import { Now } from "./now.js";
import { Path } from "./path.js";
import { JobState } from "./state.js";
import { Tabs } from "./tabs.js";

const words = strings.job;

/** @param {{ id: string }} props */
export function View({ id }) {
  const state = useSubject(JobState, id);
  const shown = state.shown.value;
  const rows = useMemo(() => (shown ? rowsOf(shown.job) : []), [shown]);
  return html`
    <div class="heading">
      <h1><a href=${href("jobs")}>${strings.jobs.title}</a> / ${shown ? html`<${Text} text=${shown.fleet.clientId} longest=${80} />` : words.title} <small class="faint">${id}</small></h1>
      ${shown && !state.gone.value && html`<${Actions} state=${state} shown=${shown} />`}
    </div>
    ${state.gone.value && html`<${Empty} title=${words.gone(id)}><a href=${href("jobs")}>${strings.toJobs}</a><//>`}
    <${Problem} error=${state.error.value} onRetry=${() => void state.start()} />
    ${!shown && !state.error.value && html`<p class="skeleton">${words.loading}</p>`}
    ${shown &&
    html`<div class="job-panels">
        <section class="panel" aria-label=${words.workflow}><${Path} workflow=${shown.job.workflow} path=${pathOf(rows)} rows=${rows} /></section>
        <section class="panel" aria-label=${words.now}><${Now} state=${state} shown=${shown} rows=${rows} /></section>
      </div>
      <${Tabs} state=${state} shown=${shown} rows=${rows} />`}
  `;
}
