// The list of devices.

import { useEffect } from "preact/hooks";
import { ClientField, FilterChips } from "../../lib/filter_chips.js";
import { html } from "../../lib/html.js";
import { identityOf } from "../../lib/identity.js";
import { changedClass, useLiveList, useMark } from "../../lib/live_list.js";
import { Empty, Problem } from "../../lib/problem.js";
import { href, navigate, place } from "../../lib/router.js";
import { number, strings } from "../../lib/strings.en.js";
import { VirtualTable } from "../../lib/table.js";
import { whileSeen } from "../../lib/while_seen.js";
import { columns } from "./columns.js";
import { filtersOf, isNarrow, MANY, ONE } from "./filters.js";
import { DevicesState } from "./state.js";

/** @typedef {import("./state.js").Device} Device */

const words = strings.devices;
const BETWEEN_LOOKS = 10_000; // milliseconds
const KINDS = [...MANY.map((name) => ({ name, single: false })), ...ONE.map((name) => ({ name, single: true }))].map(
  ({ name, single }) => ({ name, single, title: words.filters[name], hint: words.filterHints[name] }),
);

export function View() {
  const filters = filtersOf(place.value.query);
  return html`<${List} ...${useLiveList(JSON.stringify(filters), () => new DevicesState(filters))} />`;
}

/** @param {{ state: DevicesState, list: DevicesState["list"], again: () => void }} props */
function List({ state, list, again }) {
  const { filters } = state;
  const { client, unseen, version, filter, ...many } = filters;
  const one = { unseen, version, filter };
  const given = { label: many.label, attribute: many.attribute, ...Object.fromEntries(Object.entries(one).map(([name, value]) => [name, value ? [value] : []])) };
  useEffect(() => whileSeen(() => state.look(), { every: BETWEEN_LOOKS }), [state]);
  list.version.value; // drawn again with each change of the rows
  const { rows } = list;
  const active = useMark(list, { keyOf, open });
  return html`
    <div class="heading">
      <h1>${words.title}</h1>
      <span class="count" role="status">${list.complete ? words.count(rows.length) : words.orMore(number(rows.length))}</span>
    </div>
    <${FilterChips} id="devices" kinds=${KINDS} given=${given} clear=${href("devices")} others=${client !== ""}><${ClientField} client=${client} /><//>
    <${Problem} error=${state.list.error.value} onRetry=${again} />
    ${state.fresh.value > 0 && html`<button type="button" class="pill" onClick=${again}>${strings.jobs.fresh(state.fresh.value)}</button>`}
    <${VirtualTable}
      key=${identityOf(list)}
      id="devices-table"
      label=${words.title}
      columns=${columns(filters)}
      rows=${rows}
      total=${rows.length}
      keyOf=${keyOf}
      need=${(/** @type {number} */ count) => void list.need(count)}
      seen=${(/** @type {number} */ first, /** @type {number} */ last) => (state.seen = { first, last })}
      active=${active}
      classOf=${changedClass}
      onRow=${open}
    />
    ${list.complete && rows.length === 0 && html`<${Nothing} filtered=${isNarrow(filters) || client !== ""} />`}
    ${list.loading.value && html`<p class="skeleton">${strings.loading}</p>`}
  `;
}

/** @param {Device} row */
function keyOf(row) {
  return row.clientId;
}

/** @param {{ filtered: boolean }} props */
function Nothing({ filtered }) {
  if (filtered) return html`<${Empty} title=${words.noneFits}><a href=${href("devices")}>${words.showAll}</a><//>`;
  return html`<${Empty} title=${words.none} command=${strings.jobs.command} />`;
}

/** @param {Device} row */
function open(row) {
  navigate(`devices/${encodeURIComponent(row.clientId)}`);
}
