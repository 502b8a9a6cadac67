// Who reads the log and how far behind, and the plugins that decide on requests.

import { html } from "../../lib/html.js";
import { number, strings } from "../../lib/strings.en.js";
import { Short } from "../../lib/text.js";
import { Rows } from "../../lib/section.js";
import { sum } from "./metrics.js";

/** @typedef {import("./metrics.js").Metrics} Metrics */

const words = strings.system;

/** The values of a label. @param {Metrics} metrics @param {readonly string[]} names of metrics @param {string} label */
function namesIn(metrics, names, label) {
  const found = names.flatMap((name) => metrics.get(name) ?? []).map(({ labels }) => labels[label] ?? "");
  return [...new Set(found)].filter(Boolean).sort();
}

/** @param {{ metrics: Metrics | undefined }} props */
export function Consumers({ metrics }) {
  if (!metrics) return null;
  const names = namesIn(metrics, ["wfx_consumer_lag_events", "wfx_consumer_position"], "consumer");
  const of = (/** @type {string} */ metric, /** @type {string} */ name) => number(sum(metrics, metric, ({ consumer }) => consumer === name));
  return html`<section class="panel" aria-label=${words.consumers}>
    <h2>${words.consumers}</h2>
    ${names.length === 0
      ? html`<p class="faint">${words.noConsumers}</p>`
      : html`<${Rows} id="consumers" heads=${[words.consumer, words.position, words.lag, words.lost]}>
          ${names.map((name) => html`<tr key=${name}>
            <td><${Short} text=${name} /></td><td>${of("wfx_consumer_position", name)}</td><td>${strings.counted(sum(metrics, "wfx_consumer_lag_events", ({ consumer }) => consumer === name), "event")}</td><td>${of("wfx_consumer_events_lost_total", name)}</td>
          </tr>`)}
        <//>`}
  </section>`;
}

/** @param {{ metrics: Metrics | undefined }} props */
export function Plugins({ metrics }) {
  if (!metrics) return null;
  const names = namesIn(metrics, ["wfx_plugin_decision_duration_seconds_count", "wfx_plugin_undecided_total", "wfx_plugin_observations_total"], "plugin");
  const of = (/** @type {string} */ metric, /** @type {string} */ name) => sum(metrics, metric, ({ plugin }) => plugin === name);
  return html`<section class="panel" aria-label=${words.plugins}>
    <h2>${words.plugins}</h2>
    ${names.length === 0
      ? html`<p class="faint">${words.noPlugins}</p>`
      : html`<${Rows} id="plugins" heads=${[words.plugin, words.decisions, words.average, words.undecided]}>
          ${names.map((name) => {
            const count = of("wfx_plugin_decision_duration_seconds_count", name);
            const milliseconds = count > 0 ? (of("wfx_plugin_decision_duration_seconds_sum", name) / count) * 1000 : 0;
            return html`<tr key=${name}>
              <td><${Short} text=${name} /></td><td>${number(count)}</td><td>${milliseconds.toFixed(1)}</td><td>${number(of("wfx_plugin_undecided_total", name))}</td>
            </tr>`;
          })}
        <//>`}
  </section>`;
}
