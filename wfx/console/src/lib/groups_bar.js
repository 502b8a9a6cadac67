// How many jobs are in each group, as a bar whose parts lead to those jobs.

import { html } from "./html.js";
import { href } from "./router.js";
import { lookOf, NO_GROUP } from "./status.js";
import { number, strings } from "./strings.en.js";

/** The jobs of a workflow, and of a group of it. @param {string} workflow @param {Record<string, string>} [more] */
export const jobsOf = (workflow, more = {}) => `jobs?${new URLSearchParams({ workflow, ...more })}`;

/** @param {{ workflow: string, groups: ReadonlyMap<string, number> | undefined }} props */
export function GroupsBar({ workflow, groups }) {
  if (!groups?.size) return html`<span class="faint">${strings.workflows.noJobs}</span>`;
  const parts = [...groups].filter(([, jobs]) => jobs > 0);
  return html`<span class="groups">
    <span class="groups-bar" aria-hidden="true">
      ${parts.map(([group, jobs]) => html`<span key=${group} class=${`tone-${lookOf(group).tone}`} style=${{ flexGrow: jobs }}></span>`)}
    </span>
    ${parts.map(([group, jobs]) => html`<a key=${group} class=${`status tone-${lookOf(group).tone}`} href=${href(jobsOf(workflow, { group: group || NO_GROUP }))}>
      <span class="icon" aria-hidden="true">${lookOf(group).icon}</span>${number(jobs)} <bdi>${group || strings.workflows.noGroup}</bdi>
    </a>`)}
  </span>`;
}
