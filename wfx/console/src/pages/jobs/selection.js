// Which rows are chosen, and what can be done with them.

import { useState } from "preact/hooks";
import { html } from "../../lib/html.js";
import { number, strings } from "../../lib/strings.en.js";
import { selectionOf } from "./bulk.js";
import { BulkDialog } from "./bulk_view.js";
import { conditions } from "./filters.js";

/** @typedef {import("./filters.js").Filters} Filters */
/** @typedef {import("./bulk.js").Work} Work */
/** @typedef {import("./bulk.js").Which} Which */
/** @typedef {{ ids: ReadonlySet<string>, all: boolean }} Chosen */

const words = strings.bulk;
export const NOTHING = /** @type {Chosen} */ ({ ids: new Set(), all: false });

/** The same with one job more or less. @param {Chosen} chosen @param {string} id @returns {Chosen} */
export function toggled(chosen, id) {
  const ids = new Set(chosen.ids);
  if (!ids.delete(id)) ids.add(id);
  return { ids, all: false };
}

/** @param {{ chosen: Chosen, choose: (chosen: Chosen) => void, total: number, filters: Filters, states: string[], onDone: () => void }} props */
export function SelectionBar({ chosen, choose, total, filters, states, onDone }) {
  const [begun, begin] = useState(/** @type {{ kind: Work["kind"], which: Which } | undefined} */ (undefined));
  const count = chosen.all ? total : chosen.ids.size;
  if (count === 0 && !begun) return null;
  const which = chosen.all ? selectionOf(conditions(filters)) : { ids: [...chosen.ids] };
  return html`<div class="selection no-print" role="group" aria-label=${words.selected(count)}>
    <strong>${words.selected(count)}</strong>
    ${!chosen.all && html`<button type="button" onClick=${() => choose({ ids: new Set(), all: true })}>${words.all(number(total))}</button>`}
    ${/** @type {const} */ (["retry", "update", "tag", "delete"]).map(
      (each) => html`<button type="button" key=${each} class=${each === "delete" ? "danger" : ""} onClick=${() => begin({ kind: each, which })}>${words.titles[each]}…</button>`,
    )}
    <button type="button" class="plain" onClick=${() => choose(NOTHING)}>${words.none}</button>
    ${begun &&
    html`<${BulkDialog}
      ...${begun}
      states=${states}
      onClose=${() => {
        begin(undefined);
        choose(NOTHING);
        onDone();
      }}
    />`}
  </div>`;
}
