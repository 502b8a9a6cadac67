// How many jobs each group has, as a bar that is also the filter.

import { html } from "../../lib/html.js";
import { totals } from "../../lib/job_counts.js";
import { lookOf, NO_GROUP } from "../../lib/status.js";
import { number, strings } from "../../lib/strings.en.js";
import { Short } from "../../lib/text.js";
import { set } from "../../lib/url_state.js";

/** @typedef {import("../../lib/job_counts.js").Count} Count */
/** @typedef {import("./filters.js").Filters} Filters */

const words = strings.jobs;

/** @param {{ counts: Count[] | undefined, filters: Filters }} props */
export function GroupBar({ counts, filters }) {
  const groups = inOrder(totals(counts ?? [], "group"));
  return html`<div class="group-bar" role="group" aria-label=${words.bar}>
    ${groups.map(([group, jobs]) => html`<${Part} key=${group} group=${group} jobs=${jobs} chosen=${filters.group} />`)}
  </div>`;
}

/** Those that are known first. @param {ReadonlyMap<string, number>} groups */
function inOrder(groups) {
  const order = (/** @type {string} */ name) => ["CLOSED", "OPEN", "FAILED"].indexOf(name) >>> 0;
  return [...groups].sort(([one], [other]) => order(one) - order(other) || one.localeCompare(other));
}

/** @param {{ group: string, jobs: number, chosen: string[] }} props */
function Part({ group, jobs, chosen }) {
  const name = group || NO_GROUP;
  const look = lookOf(group);
  const pressed = chosen.includes(name);
  const next = pressed ? chosen.filter((each) => each !== name) : [...chosen, name];
  return html`<button
    type="button"
    class=${`part tone-${look.tone}`}
    style=${{ flexGrow: jobs }}
    aria-pressed=${pressed}
    onClick=${() => set({ group: next })}
  >
    <span class="stripe" aria-hidden="true"></span>
    <span class="words"><span aria-hidden="true">${look.icon}</span> ${number(jobs)} <${Short} text=${group || words.noGroup} /></span>
  </button>`;
}
