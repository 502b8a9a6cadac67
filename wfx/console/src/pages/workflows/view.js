import { useEffect, useState } from "preact/hooks";
import { get, isAbort } from "../../lib/api.js";
import { API } from "../../lib/base.js";
import { html } from "../../lib/html.js";
import { Empty, Problem } from "../../lib/problem.js";
import { href } from "../../lib/router.js";
import { strings } from "../../lib/strings.en.js";
import { Text } from "../../lib/text.js";
import { link, value } from "../../lib/url_state.js";
import { GroupsBar } from "../../lib/groups_bar.js";
import { byGroup } from "../../lib/job_counts.js";
import { useCounts } from "../../lib/live_counts.js";

/** @typedef {{ content: { name: string, description?: string }[], pagination: { total: number } }} Listed */

const words = strings.workflows;
const LIMIT = 50; // workflows on a page, unless the address says otherwise

/** A whole number of the address. @param {string} name @param {number} other @param {number} most */
function numberOf(name, other, most) {
  const given = Number(value(name));
  return Number.isInteger(given) && given >= 1 && given <= most ? given : other;
}

export function View() {
  const limit = numberOf("limit", LIMIT, 1000);
  const page = numberOf("page", 1, 1_000_000);
  const [listed, setListed] = useState(/** @type {Listed | undefined} */ (undefined));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const [tries, setTries] = useState(0);
  const { summary, error: uncounted } = useCounts();
  useEffect(() => {
    const ending = new AbortController();
    const query = { pagination: true, sort: "asc", limit, offset: (page - 1) * limit };
    get(`${API}/workflows`, query, ending.signal).then(
      (answer) => {
        setListed(answer);
        setError(undefined);
      },
      (failure) => isAbort(failure) || setError(failure),
    );
    return () => ending.abort();
  }, [page, limit, tries]);
  const again = () => setTries(tries + 1);
  return html`
    <div class="heading">
      <h1>${words.title}</h1>
      <a class="button" href=${href("new-workflow")}>${words.create}</a>
      <button type="button" onClick=${again}>${words.refresh}</button>
      ${listed && html`<${Pages} page=${page} limit=${limit} listed=${listed} />`}
    </div>
    <${Problem} error=${error ?? uncounted} onRetry=${again} />
    ${!listed && !error && html`<p class="skeleton">${strings.loading}</p>`}
    ${listed && html`<${Rows} listed=${listed} groups=${summary && byGroup(summary.counts)} />`}
  `;
}

/** @param {{ listed: Listed, groups: Map<string, Map<string, number>> | undefined }} props */
function Rows({ listed, groups }) {
  return html`<div class="scrolling"><table id="workflows-table" class="rows">
      <thead><tr><th scope="col">${words.name}</th><th scope="col">${words.description}</th><th scope="col">${words.jobs}</th></tr></thead>
      <tbody>${listed.content.map(({ name, description }) => html`<tr key=${name}>
        <td><a href=${href(`workflows/${encodeURIComponent(name)}`)}>${name}</a></td>
        <td><${Text} text=${description} /></td>
        <td>${groups && html`<${GroupsBar} workflow=${name} groups=${groups.get(name)} />`}</td>
      </tr>`)}</tbody>
    </table></div>
    ${listed.pagination.total === 0 && html`<${Empty} title=${words.none} command=${words.noneCommand} />`}`;
}

/** Where the reader is in the list, and the pages beside. @param {{ page: number, limit: number, listed: Listed }} props */
function Pages({ page, limit, listed }) {
  const { total } = listed.pagination;
  const first = (page - 1) * limit + 1;
  const to = (/** @type {number} */ other) => href(link({ page: other === 1 ? "" : String(other) }));
  if (total === 0) return null;
  return html`<nav class="count" aria-label=${words.pages}>
    ${page > 1 && html`<a rel="prev" href=${to(page - 1)}>‹ ${words.previous}</a> `}
    ${words.range(Math.min(first, total), first - 1 + listed.content.length, total)}
    ${first - 1 + limit < total && html` <a rel="next" href=${to(page + 1)}>${words.next} ›</a>`}
  </nav>`;
}
