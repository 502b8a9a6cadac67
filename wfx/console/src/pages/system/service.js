// Which program runs, and how it is.

import { ROOT } from "../../lib/base.js";
import { html } from "../../lib/html.js";
import { Problem } from "../../lib/problem.js";
import { useRead } from "../../lib/read.js";
import { number, strings } from "../../lib/strings.en.js";
import { Short, Time } from "../../lib/text.js";
import { Health } from "../../lib/health.js";
import { sum } from "./metrics.js";

/** @typedef {import("./metrics.js").Metrics} Metrics */

const words = strings.system;
const MIB = 1024 * 1024;

/** @param {{ metrics: Metrics | undefined }} props */
export function Service({ metrics }) {
  const { data, error, again } = useRead(`${ROOT}version`);
  return html`<section class="panel" aria-label=${words.service}>
    <h2>${words.service}</h2>
    <${Problem} error=${error} onRetry=${again} />
    <dl>
      ${data && html`<dt>${words.version}</dt><dd><${Short} text=${data.version} /></dd>
        <dt>${words.commit}</dt><dd><code><${Short} text=${data.commit} /></code></dd>`}
      <dt>${words.health}</dt><dd><${Health} /></dd>
      ${metrics && html`<${Figures} metrics=${metrics} />`}
    </dl>
  </section>`;
}

/** @param {{ metrics: Metrics }} props */
function Figures({ metrics }) {
  const of = (/** @type {string} */ name) => sum(metrics, name);
  const mib = (/** @type {string} */ name) => `${number(Math.round(of(name) / MIB))} MiB`;
  const lines = [
    [words.ready, of("wfx_ready") === 1 ? words.yes : words.no],
    [words.uptime, html`<${Time} at=${new Date(of("process_start_time_seconds") * 1000).toISOString()} />`],
    [words.memory, mib("process_resident_memory_bytes")],
    [words.files, words.of(number(of("process_open_fds")), number(of("process_max_fds")))],
    ...(metrics.has("wfx_store_bytes") ? [[words.database, mib("wfx_store_bytes")]] : []),
    [words.jobs, number(of("wfx_jobs"))],
    [words.queue, words.of(number(of("wfx_store_write_queue_length")), number(of("wfx_store_write_queue_capacity")))],
    [words.subscribers, number(of("wfx_event_subscribers"))],
  ];
  return html`${lines.map(([name, shown]) => html`<dt key=${name}>${name}</dt><dd>${shown}</dd>`)}`;
}
