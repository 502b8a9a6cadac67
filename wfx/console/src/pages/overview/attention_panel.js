// What needs a person, with links to those jobs.

import { useEffect, useState } from "preact/hooks";
import { isAbort } from "../../lib/api.js";
import { html } from "../../lib/html.js";
import { jobsIn } from "../../lib/job_counts.js";
import { Problem } from "../../lib/problem.js";
import { href } from "../../lib/router.js";
import { Status } from "../../lib/status.js";
import { strings } from "../../lib/strings.en.js";
import { Short, Time } from "../../lib/text.js";
import { whileSeen } from "../../lib/while_seen.js";
import { failedJobs, LONG, stuckJobs, waitingForOperators } from "./attention.js";

/** @typedef {import("./attention.js").Job} Job */
/** @typedef {import("./attention.js").Waiting} Waiting */
/** @typedef {import("../../lib/job_counts.js").Count} Count */
/** @typedef {{ failed: Job[], waiting: Waiting[] }} Found */

const words = strings.overview;
const MOST = 5;
const BETWEEN_COUNTS = 60_000; // milliseconds

/** @param {{ counts: readonly Count[], position: string }} props `position` of the counts: with another one all is read anew */
export function Attention({ counts, position }) {
  const [found, setFound] = useState(/** @type {Found | undefined} */ (undefined));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const stuck = useStuck();
  useEffect(() => {
    const ending = new AbortController();
    Promise.all([failedJobs(ending.signal), waitingForOperators(counts)]).then(
      ([failed, waiting]) => {
        if (ending.signal.aborted) return;
        setFound({ failed, waiting });
        setError(undefined);
      },
      (failure) => isAbort(failure) || setError(failure),
    );
    return () => ending.abort();
  }, [position]);
  return html`<section class="panel attention" aria-label=${words.attention}>
    <h2>${words.attention}</h2>
    <${Problem} error=${error} />
    ${!found && !error && html`<p class="skeleton">${strings.loading}</p>`}
    ${found && html`<${List} ...${found} stuck=${stuck} all=${jobsIn(counts, "FAILED")} />`}
  </section>`;
}

/** How many open jobs have not changed for long; undefined until they were counted. @returns {number | undefined} */
function useStuck() {
  const [stuck, setStuck] = useState(/** @type {number | undefined} */ (undefined));
  useEffect(() => {
    const ending = new AbortController();
    // The service looks at each open job to tell, so this does not follow each event.
    const read = () => stuckJobs(ending.signal).then(({ total }) => setStuck(total)).catch(() => {}); // what is shown stays
    const stop = whileSeen(read, { every: BETWEEN_COUNTS, atOnce: true });
    return () => {
      ending.abort();
      stop();
    };
  }, []);
  return stuck;
}

/** @param {Found & { stuck: number | undefined, all: number }} props */
function List({ failed, stuck, waiting, all }) {
  if (failed.length === 0 && waiting.length === 0 && !stuck) {
    return stuck === undefined ? html`<p class="skeleton">${strings.loading}</p>` : html`<p class="faint">✔ ${words.nothing}</p>`;
  }
  return html`
    ${waiting.slice(0, MOST).map(({ workflow, state, group, jobs, to }) => html`<p key=${`${workflow} ${state}`}>
      <a href=${href(`jobs?${new URLSearchParams({ workflow, state })}`)}>${strings.counted(jobs, "job")}</a>
      ${" "}${words.wait(jobs)} <${Status} group=${group} state=${state} /> → <${Short} text=${to.slice(0, 4).join(", ")} />
      <span class="faint"> <${Short} text=${workflow} /></span>
    </p>`)}
    ${stuck !== undefined && stuck > 0 && html`<p>
      <a href=${href(`jobs?${new URLSearchParams({ group: "OPEN", unchanged: LONG })}`)}>${strings.counted(stuck, "open job")}</a> ${words.stuck(stuck)}
    </p>`}
    ${all > 0 && html`<p><a href=${href("jobs?group=FAILED")}>${strings.counted(all, "job")}</a> ${words.failed}</p>
      <ul class="plain-list">
        ${failed.map(({ id, clientId, group, state, message, mtime }) => html`<li key=${id}>
          <a href=${href(`jobs/${encodeURIComponent(id)}`)}><${Short} text=${clientId} /></a>
          <${Status} group=${group} state=${state} /> ${message && html`<${Short} text=${message} />`}
          <span class="faint"><${Time} at=${mtime} /></span>
        </li>`)}
      </ul>`}
  `;
}
