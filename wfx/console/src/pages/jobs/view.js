// The list of jobs.

import { useEffect, useState } from "preact/hooks";
import { ClientField, FilterChips } from "../../lib/filter_chips.js";
import { html } from "../../lib/html.js";
import { identityOf } from "../../lib/identity.js";
import { changedClass, useLiveList, useMark } from "../../lib/live_list.js";
import { Empty, Problem } from "../../lib/problem.js";
import { href, navigate, place } from "../../lib/router.js";
import { number, strings } from "../../lib/strings.en.js";
import { VirtualTable } from "../../lib/table.js";
import { link } from "../../lib/url_state.js";
import { GroupBar } from "./bar.js";
import { columns } from "./columns.js";
import { ColumnsMenu, hiddenColumns } from "./columns_menu.js";
import { CsvButton } from "./csv_view.js";
import { any, chipsOf, cleared, filtersOf, kindsOf } from "./filters.js";
import { SavedViewsMenu } from "./saved_views_menu.js";
import { NOTHING, SelectionBar, toggled } from "./selection.js";
import { JobsState } from "./state.js";

/** @typedef {import("./state.js").Row} Row */

const words = strings.jobs;

export function View() {
  const filters = filtersOf(place.value.query);
  return html`<${List} ...${useLiveList(JSON.stringify(filters), () => new JobsState(filters))} />`;
}

/** @param {{ state: JobsState, list: JobsState["list"], again: () => void }} props */
function List({ state, list, again }) {
  const { filters } = state;
  list.version.value; // drawn again with each change of the rows
  const { rows } = list;
  const hidden = hiddenColumns();
  const total = list === state.list ? Math.max(state.total, rows.length) : rows.length;
  const [chosen, choose] = useState(NOTHING);
  const toggle = (/** @type {string} */ id) => choose((before) => toggled(before, id));
  useEffect(() => choose(NOTHING), [JSON.stringify(filters)]);
  const active = useMark(list, { keyOf, open, toggle: (row) => row.deleted || toggle(row.id) });
  return html`
    <div class="heading">
      <h1>${words.title}</h1>
      <span class="count" role="status">${words.showing(number(rows.length), number(total))}</span>
      <span class="list-tools no-print"><${SavedViewsMenu} /><${ColumnsMenu} /><${CsvButton} key=${JSON.stringify(filters)} filters=${filters} total=${total} /></span>
    </div>
    <${FilterChips} id="jobs" kinds=${kindsOf(state.counts.value ?? [])} given=${chipsOf(filters)} clear=${href(link(cleared))}>
      <${ClientField} client=${filters.client} />
    <//>
    <${GroupBar} counts=${state.counts.value} filters=${filters} />
    <${Problem} error=${state.list.error.value} onRetry=${again} />
    ${state.fresh.value > 0 &&
    html`<button type="button" class="pill" onClick=${again}>${words.fresh(state.fresh.value)}</button>`}
    <${VirtualTable}
      key=${identityOf(list)}
      id="jobs-table"
      label=${words.title}
      columns=${columns(filters, (id) => chosen.all || chosen.ids.has(id), toggle).filter(({ name }) => !hidden.includes(name))}
      rows=${rows}
      total=${total}
      keyOf=${keyOf}
      need=${(/** @type {number} */ count) => void list.need(count)}
      active=${active}
      classOf=${classOf}
      onRow=${open}
    />
    <${SelectionBar} chosen=${chosen} choose=${choose} total=${total} filters=${filters} states=${statesOf(state)} onDone=${again} />
    ${list.complete && rows.length === 0 && html`<${Nothing} filtered=${any(filters)} />`}
    ${list.loading.value && rows.length === 0 && html`<p class="skeleton">${strings.loading}</p>`}
  `;
}

/** The states that jobs of the list are in, and those beside them. @param {JobsState} state */
function statesOf(state) {
  return [...new Set((state.counts.value ?? []).map((each) => each.state))].slice(0, 200);
}

/** @param {Row} row */
function keyOf(row) {
  return row.id;
}

/** @param {Row} row */
function classOf(row) {
  return `${row.deleted ? "deleted " : ""}${changedClass(row)}`;
}

/** @param {{ filtered: boolean }} props */
function Nothing({ filtered }) {
  if (filtered) return html`<${Empty} title=${words.noneFits}><a href=${href("jobs")}>${words.showAll}</a><//>`;
  return html`<${Empty} title=${words.none} command=${words.command} />`;
}

/** @param {Row} row */
function open(row) {
  navigate(`jobs/${encodeURIComponent(row.id)}`);
}
