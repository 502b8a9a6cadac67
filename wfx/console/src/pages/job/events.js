// The events of a job, as far as they are on the log.

import { useEffect, useState } from "preact/hooks";
import { whoOf } from "../../lib/actor.js";
import { get, isAbort } from "../../lib/api.js";
import { API } from "../../lib/base.js";
import { html } from "../../lib/html.js";
import { numberOf, slimmed } from "../../lib/live_stream.js";
import { Problem } from "../../lib/problem.js";
import { strings } from "../../lib/strings.en.js";
import { Text, Time } from "../../lib/text.js";

const words = strings.job;
const PAGES = 20; // of the log that are looked through

/** @typedef {import("../../lib/live_stream.js").LiveEvent} LiveEvent */

/** @param {{ id: string, version: number }} props */
export function Events({ id, version }) {
  const [entries, setEntries] = useState(/** @type {LiveEvent[] | undefined} */ (undefined));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  useEffect(() => {
    const ending = new AbortController();
    read(id, ending.signal).then(setEntries, (failed) => isAbort(failed) || setError(failed));
    return () => ending.abort();
  }, [id, version]);
  if (error) return html`<${Problem} error=${error} />`;
  if (!entries) return html`<p class="skeleton">${strings.loading}</p>`;
  if (entries.length === 0) return html`<p>${words.noEvents}</p>`;
  return html`<div class="scrolls"><table class="plain-table" id="job-events">
    <thead><tr><th scope="col">${words.event}</th><th scope="col">${words.when}</th><th scope="col">${words.action}</th><th scope="col">${words.state}</th><th scope="col">${words.who}</th></tr></thead>
    <tbody>
      ${entries.toReversed().map(
        (entry) => html`<tr key=${entry.id}>
          <td><code>${numberOf(entry.id)}</code></td>
          <td><${Time} at=${entry.ctime} /></td>
          <td>${entry.action}</td>
          <td><bdi>${entry.job.state ?? ""}</bdi></td>
          <td><${Text} text=${whoOf(entry)} /></td>
        </tr>`,
      )}
    </tbody>
  </table></div>`;
}

/** @param {string} id @param {AbortSignal} ended @returns {Promise<LiveEvent[]>} */
async function read(id, ended) {
  /** @type {LiveEvent[]} */
  const found = [];
  let since = "0";
  for (let page = 0; page < PAGES; page += 1) {
    const { content, next } = await get(`${API}/jobs/events`, { since, jobIds: id, limit: 1000 }, ended);
    for (const { id: at, event } of content) found.push(slimmed(at, event));
    if (!next || next === since) break;
    since = next;
  }
  return found;
}
