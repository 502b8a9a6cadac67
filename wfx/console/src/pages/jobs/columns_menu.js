// The menu of columns: those that are not wanted are named in the address.

import { html } from "../../lib/html.js";
import { Menu } from "../../lib/menu.js";
import { strings } from "../../lib/strings.en.js";
import { set, values } from "../../lib/url_state.js";

const words = strings.jobs;

/** The columns that can be hidden: all but the check box and the client. */
const OPTIONAL = /** @type {const} */ (["status", "progress", "message", "changed", "created", "group", "workflow", "tags", "id"]);

/** The names of those that are not wanted. @returns {string[]} */
export function hiddenColumns() {
  return values("hide").filter((name) => OPTIONAL.some((each) => each === name));
}

export function ColumnsMenu() {
  const hidden = hiddenColumns();
  const turn = (/** @type {string} */ name) => set({ hide: hidden.includes(name) ? hidden.filter((each) => each !== name) : [...hidden, name] }, { replace: true });
  return html`<${Menu} title=${words.columnsTitle}>
    ${OPTIONAL.map((name) => html`<label key=${name}><input type="checkbox" checked=${!hidden.includes(name)} onChange=${() => turn(name)} /> ${words.columns[name]}</label>`)}
  <//>`;
}
