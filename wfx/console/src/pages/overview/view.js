// The page.

import { GroupsBar } from "../../lib/groups_bar.js";
import { html } from "../../lib/html.js";
import { byGroup, jobsIn, totals } from "../../lib/job_counts.js";
import { useCounts } from "../../lib/live_counts.js";
import { Empty, Problem } from "../../lib/problem.js";
import { href } from "../../lib/router.js";
import { lookOf, NO_GROUP } from "../../lib/status.js";
import { number, strings } from "../../lib/strings.en.js";
import { Short } from "../../lib/text.js";
import { Attention } from "./attention_panel.js";
import { Activity } from "./charts.js";
import { Health } from "../../lib/health.js";

/** @typedef {import("../../lib/job_counts.js").Count} Count */

const words = strings.overview;
/** @type {[string, number][]} */
const ALWAYS = [["OPEN", 0], ["CLOSED", 0], ["FAILED", 0]]; // those that are shown without jobs, too

export function View() {
  const { summary, error } = useCounts();
  const { counts, position = "", total = 0 } = summary ?? {};
  return html`
    <div class="heading"><h1>${words.title}</h1><${Health} /></div>
    <${Problem} error=${error} />
    ${!counts && !error && html`<p class="skeleton">${strings.loading}</p>`}
    ${counts && html`<${Totals} counts=${counts} />`}
    ${counts && html`<div class="overview">
      <${Attention} counts=${counts} position=${position} />
      <${Activity} position=${position} open=${jobsIn(counts, "OPEN")} jobs=${total} />
    </div>`}
    ${counts && html`<${Workflows} counts=${counts} />`}
  `;
}

/** How many jobs there are in each group of all workflows. @param {{ counts: readonly Count[] }} props */
function Totals({ counts }) {
  const groups = new Map([...ALWAYS, ...totals(counts, "group")]);
  return html`<ul class="totals">
    ${[...groups].map(([group, jobs]) => html`<li key=${group} class=${`tone-${lookOf(group).tone}`}>
      <a href=${href(`jobs?${new URLSearchParams({ group: group || NO_GROUP })}`)}>
        <span class="large">${number(jobs)}</span>
        <span><span aria-hidden="true">${lookOf(group).icon}</span> <${Short} text=${words.groups[group] ?? (group || words.noGroup)} /></span>
      </a>
    </li>`)}
  </ul>`;
}

/** @param {{ counts: readonly Count[] }} props */
function Workflows({ counts }) {
  const found = [...byGroup(counts)].map(([name, groups]) => ({ name, groups, jobs: [...groups.values()].reduce((all, jobs) => all + jobs, 0) }));
  found.sort((one, other) => other.jobs - one.jobs);
  return html`<section class="panel by-workflow" aria-label=${words.byWorkflow}>
    <h2>${words.byWorkflow}</h2>
    ${found.length === 0 && html`<${Empty} title=${strings.jobs.none} command=${strings.jobs.command} />`}
    ${found.slice(0, 100).map(({ name, groups, jobs }) => html`<div key=${name} class="line">
      <a href=${href(`workflows/${encodeURIComponent(name)}`)}><${Short} text=${name} /></a>
      <span class="faint">${strings.counted(jobs, "job")}</span>
      <${GroupsBar} workflow=${name} groups=${groups} />
    </div>`)}
    ${found.length > 100 && html`<a href=${href("workflows")}>${words.allWorkflows(found.length)}</a>`}
  </section>`;
}
