// The list of events.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { FilterChips } from "../../lib/filter_chips.js";
import { html } from "../../lib/html.js";
import { identityOf } from "../../lib/identity.js";
import { useKeys } from "../../lib/keyboard.js";
import { Empty, Problem } from "../../lib/problem.js";
import { href, place } from "../../lib/router.js";
import { number, strings } from "../../lib/strings.en.js";
import { VirtualTable } from "../../lib/table.js";
import { changed, set, value } from "../../lib/url_state.js";
import { known } from "../../lib/workflows.js";
import { ACTIONS, columns } from "./columns.js";
import { Detail } from "./detail.js";
import { filtersOf, NAMES } from "./filters.js";
import { EventsState } from "./state.js";

/** @typedef {import("./log.js").Row} Row */

const words = strings.events;
const TABLE = "events-table";
const KINDS = NAMES.map((name) => ({
  name,
  title: words.filters[name],
  hint: words.filterHints[name],
  ...(name === "action" && { values: ACTIONS }),
}));

export function View() {
  const key = changed(place.value.query, { event: "" }).toString();
  const [turn, setTurn] = useState(0);
  const again = () => setTurn((last) => last + 1);
  const state = useMemo(() => new EventsState(filtersOf(place.peek().query), isLookedAt), [key, turn]);
  const [shown, show] = useState(state);
  useEffect(() => {
    // What was there stays until there is something to take its place.
    void state.start(again).then(() => state.version.peek() > 0 && show(state));
    return () => state.close();
  }, [state]);
  return html`<${List} key=${identityOf(shown)} state=${state} shown=${shown} again=${again} />`;
}

/** Tells whether somebody looks at rows, which must not move then: below the top, under the pointer, or marked. */
function isLookedAt() {
  const frame = document.getElementById(TABLE)?.closest(".table-frame");
  return !!frame && (frame.scrollTop > 0 || frame.querySelector("tbody tr:hover, tr.active") !== null);
}

/** @param {{ state: EventsState, shown: EventsState, again: () => void }} props */
function List({ state, shown, again }) {
  shown.version.value; // drawn again with each change of the rows
  known.value; // and with each workflow that becomes known
  const { rows } = shown.log;
  const [marked, mark] = useState("");
  const present = useRef(marked); // for keys, which are bound before the next row is marked
  present.current = marked;
  const active = marked ? rows.findIndex((row) => row.id === marked) : -1;
  const opened = value("event");
  const open = (/** @type {Row | undefined} */ row) => {
    if (!row) return;
    mark(row.id);
    set({ event: row.id === value("event") ? "" : row.id }, { replace: true });
  };
  useKeys(() => {
    const move = (/** @type {number} */ by) =>
      mark((id) => rows[Math.min(rows.length - 1, Math.max(0, rows.findIndex((row) => row.id === id) + by))]?.id ?? "");
    return [
      { keys: "j", does: strings.keys.next, run: () => move(1) },
      { keys: "k", does: strings.keys.previous, run: () => move(-1) },
    ];
  }, [shown]);
  const close = () => {
    mark("");
    set({ event: "" }, { replace: true });
  };
  useKeys(() => [{ keys: "Escape", does: words.close, run: close }], []);
  useKeys(() => [{ keys: "Enter", does: words.details, run: () => open(rows.find((row) => row.id === present.current)) }], [shown]);
  const fresh = shown.fresh.value;
  const pill = () => (shown.isBehind ? again() : shown.show());
  return html`
    <div class="heading">
      <h1>${words.title}</h1>
      <span class="count" role="status">${shown.complete ? words.count(rows.length) : words.newest(number(rows.length))}</span>
    </div>
    <${FilterChips} id="events" kinds=${KINDS} given=${state.filters} clear=${href("events")} />
    <${Problem} error=${state.error.value} onRetry=${again} />
    ${fresh > 0 && html`<button type="button" class="pill" onClick=${pill}>${strings.jobs.fresh(fresh)}</button>`}
    <${VirtualTable}
      id=${TABLE}
      label=${words.title}
      columns=${columns()}
      rows=${rows}
      total=${rows.length}
      keyOf=${(/** @type {Row} */ row) => row.id}
      need=${() => void shown.older()}
      active=${active}
      onRow=${open}
    />
    ${opened && html`<${Detail} key=${opened} id=${opened} onClose=${close} />`}
    ${shown.complete && rows.length === 0 && html`<${Nothing} filtered=${NAMES.some((name) => state.filters[name].length > 0)} />`}
    ${state.loading.value && html`<p class="skeleton">${strings.loading}</p>`}
  `;
}

/** @param {{ filtered: boolean }} props */
function Nothing({ filtered }) {
  if (filtered) return html`<${Empty} title=${words.noneFits}><a href=${href("events")}>${words.showAll}</a><//>`;
  return html`<${Empty} title=${words.none} command=${strings.jobs.command} />`;
}
