// The list of jobs.

import { useEffect, useMemo, useState } from "preact/hooks";
import { html } from "../../lib/html.js";
import { useKeys } from "../../lib/keyboard.js";
import { Empty, Problem } from "../../lib/problem.js";
import { href, navigate, place } from "../../lib/router.js";
import { number, strings } from "../../lib/strings.en.js";
import { VirtualTable } from "../../lib/table.js";
import { GroupBar } from "./bar.js";
import { Chips } from "./chips.js";
import { columns } from "./columns.js";
import { any, filtersOf } from "./filters.js";
import { NOTHING, SelectionBar, toggled } from "./selection.js";
import { JobsState } from "./state.js";

/** @typedef {import("./state.js").Row} Row */

const words = strings.jobs;

const CHANGED = 2500; // milliseconds for which a row that has changed is marked

export function View() {
  const key = place.value.query.toString();
  const [turn, setTurn] = useState(0);
  const again = () => setTurn((last) => last + 1);
  const state = useMemo(() => new JobsState(filtersOf(place.peek().query)), [key, turn]);
  const [shown, show] = useState(state);
  useEffect(() => {
    // What was there stays until there is something to take its place.
    void state.start(again).then(() => state.list.version.peek() > 0 && show(state));
    return () => state.close();
  }, [state]);
  return html`<${List} state=${state} list=${shown.list} again=${again} />`;
}

/** @param {{ state: JobsState, list: JobsState["list"], again: () => void }} props */
function List({ state, list, again }) {
  const { filters } = state;
  const [active, setActive] = useState(-1);
  list.version.value; // drawn again with each change of the rows
  const { rows } = list;
  const total = list === state.list ? Math.max(state.total, rows.length) : rows.length;
  const [chosen, choose] = useState(NOTHING);
  const toggle = (/** @type {string} */ id) => choose((before) => toggled(before, id));
  useEffect(() => setActive(-1), [list]);
  useEffect(() => choose(NOTHING), [JSON.stringify(filters)]);
  useKeys(() => {
    const move = (/** @type {number} */ by) => setActive((at) => Math.min(list.rows.length - 1, Math.max(0, at + by)));
    return [
      { keys: "j", does: strings.keys.next, run: () => move(1) },
      { keys: "k", does: strings.keys.previous, run: () => move(-1) },
    ];
  }, [list]);
  useKeys(() => {
    const row = rows[active];
    return [
      { keys: "Enter", does: strings.keys.open, run: () => open(row) },
      { keys: "x", does: strings.keys.select, run: () => row && toggle(row.id) },
    ];
  }, [active, list]);
  return html`
    <div class="heading">
      <h1>${words.title}</h1>
      <span class="count" role="status">${words.showing(number(rows.length), number(total))}</span>
    </div>
    <${Chips} filters=${filters} counts=${state.counts.value ?? []} />
    <${GroupBar} counts=${state.counts.value} filters=${filters} />
    <${Problem} error=${state.list.error.value} onRetry=${again} />
    ${state.fresh.value > 0 &&
    html`<button type="button" class="pill" onClick=${again}>${words.fresh(state.fresh.value)}</button>`}
    <${VirtualTable}
      key=${numberOf(list)}
      id="jobs-table"
      label=${words.title}
      columns=${columns(filters, (id) => chosen.all || chosen.ids.has(id), toggle)}
      rows=${rows}
      total=${total}
      keyOf=${(/** @type {Row} */ row) => row.id}
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

/** @type {WeakMap<object, number>} */
const numbers = new WeakMap();
let lastNumber = 0;

/** Tells lists apart, so that each begins at its top. @param {object} list */
function numberOf(list) {
  const found = numbers.get(list) ?? (lastNumber += 1);
  numbers.set(list, found);
  return found;
}

/** @param {Row} row */
function classOf({ deleted, changed }) {
  const marked = changed !== undefined && Date.now() - changed < CHANGED;
  return `${deleted ? "deleted " : ""}${marked ? `changed-${changed % 2}` : ""}`;
}

/** @param {{ filtered: boolean }} props */
function Nothing({ filtered }) {
  if (filtered) return html`<${Empty} title=${words.noneFits}><a href=${href("jobs")}>${words.showAll}</a><//>`;
  return html`<${Empty} title=${words.none} command=${words.command} />`;
}

/** @param {Row | undefined} row */
function open(row) {
  if (row) navigate(`jobs/${encodeURIComponent(row.id)}`);
}
