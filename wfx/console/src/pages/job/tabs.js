// What is below the picture: history, definition, events, JSON.

import { useEffect, useState } from "preact/hooks";
import { isAbort, request } from "../../lib/api.js";
import { API } from "../../lib/base.js";
import { html } from "../../lib/html.js";
import { JsonText } from "../../lib/json_text.js";
import { Problem } from "../../lib/problem.js";
import { strings } from "../../lib/strings.en.js";
import { set, value } from "../../lib/url_state.js";
import { CopyButton } from "../../lib/copy_button.js";
import { Events } from "./events.js";
import { History } from "./history_view.js";

/** @typedef {import("./history.js").Row} Row */
/** @typedef {import("./state.js").Shown} Shown */
/** @typedef {import("./state.js").JobState} JobState */

const words = strings.job;
const NAMES = /** @type {const} */ (["history", "definition", "events", "json"]);
const ALWAYS = 100_000; // characters of JSON up to which it is there before anybody looks

/** @param {{ state: JobState, shown: Shown, rows: Row[] }} props */
export function Tabs({ state, shown, rows }) {
  const chosen = NAMES.find((name) => name === value("tab")) ?? "history";
  const panel = (/** @type {typeof NAMES[number]} */ name, /** @type {any} */ content) =>
    html`<div role="tabpanel" id=${`panel-${name}`} aria-labelledby=${`tab-${name}`} hidden=${name !== chosen}>${content}</div>`;
  return html`<section class="tabs">
    <div role="tablist" aria-label=${words.tabList} onKeyDown=${(/** @type {KeyboardEvent} */ event) => move(event, chosen)}>
      ${NAMES.map(
        (name) => html`<button
          type="button"
          role="tab"
          key=${name}
          id=${`tab-${name}`}
          aria-controls=${`panel-${name}`}
          aria-selected=${name === chosen}
          tabindex=${name === chosen ? 0 : -1}
          onClick=${() => choose(name)}
        >
          ${words.tabs[name]}
        </button>`,
      )}
    </div>
    ${panel("history", chosen === "history" && html`<${History} rows=${rows} />`)}
    ${panel("definition", chosen === "definition" && html`<${Definition} state=${state} version=${shown.fleet.version} />`)}
    ${panel("events", chosen === "events" && html`<${Events} id=${state.id} version=${shown.fleet.version} />`)}
    ${panel(
      "json",
      (chosen === "json" || shown.text.length < ALWAYS) &&
        html`<${CopyButton} name=${words.copyJson} text=${() => shown.text} /><${JsonText} id="job-json" text=${shown.text} />`,
    )}
  </section>`;
}

/** The definition as it was sent: numbers of any size stay as they are. @param {{ state: JobState, version: number }} props */
function Definition({ state, version }) {
  const [text, setText] = useState(/** @type {string | undefined} */ (undefined));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  useEffect(() => {
    const ending = new AbortController();
    request(`${API}/jobs/${state.path}/definition`, { signal: ending.signal }).then(
      (answer) => setText(answer.text),
      (failed) => isAbort(failed) || setError(failed),
    );
    return () => ending.abort();
  }, [state, version]);
  if (error) return html`<${Problem} error=${error} />`;
  if (text === undefined) return html`<p class="skeleton">${strings.loading}</p>`;
  return html`<${JsonText} id="job-definition" text=${text} />`;
}

/** @param {typeof NAMES[number]} name */
function choose(name) {
  set({ tab: name === "history" ? "" : name }, { replace: true });
}

/** @param {KeyboardEvent} event @param {typeof NAMES[number]} chosen */
function move(event, chosen) {
  const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  const name = NAMES[(NAMES.indexOf(chosen) + by + NAMES.length) % NAMES.length];
  if (by === 0 || !name) return;
  choose(name);
  document.getElementById(`tab-${name}`)?.focus();
}
