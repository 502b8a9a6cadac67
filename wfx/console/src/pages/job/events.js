// The events of a job, as far as they are on the log.

import { useEffect, useState } from "preact/hooks";
import { get, isAbort } from "../../lib/api.js";
import { API } from "../../lib/base.js";
import { html } from "../../lib/html.js";
import { Problem } from "../../lib/problem.js";
import { strings } from "../../lib/strings.en.js";
import { Text, Time } from "../../lib/text.js";

const words = strings.job;
const PAGES = 20; // of the log that are looked through

/** @typedef {{ id: string, event: any }} Entry */

/** @param {{ id: string, version: number }} props */
export function Events({ id, version }) {
  const [entries, setEntries] = useState(/** @type {Entry[] | undefined} */ (undefined));
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
          <td><code>${entry.id.slice(entry.id.lastIndexOf("-") + 1)}</code></td>
          <td><${Time} at=${entry.event.ctime} /></td>
          <td>${entry.event.action}</td>
          <td><bdi>${entry.event.job.status?.state ?? ""}</bdi></td>
          <td><${Text} text=${whoOf(entry.event)} /></td>
        </tr>`,
      )}
    </tbody>
  </table></div>`;
}

/** Who has done it: the rule, or whoever reported. @param {any} event */
function whoOf(event) {
  return event.cause === undefined ? (event.job.status?.clientId ?? "") : JSON.stringify(event.cause);
}

/** @param {string} id @param {AbortSignal} ended @returns {Promise<Entry[]>} */
async function read(id, ended) {
  /** @type {Entry[]} */
  const found = [];
  let since = "0";
  for (let page = 0; page < PAGES; page += 1) {
    const { content, next } = await get(`${API}/jobs/events`, { since, jobIds: id, limit: 1000 }, ended);
    found.push(...content);
    if (!next || next === since) break;
    since = next;
  }
  return found;
}
