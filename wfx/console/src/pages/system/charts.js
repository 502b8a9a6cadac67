// A few figures over time, since the page was opened.

import { useMemo } from "preact/hooks";
import { Chart } from "../../lib/chart.js";
import { html } from "../../lib/html.js";
import { strings } from "../../lib/strings.en.js";
import { PAUSE } from "./looks.js";
import { averages, rates, sum } from "./metrics.js";

/** @typedef {import("./metrics.js").Look} Look */

const words = strings.system;

/** @param {readonly Look[]} looks */
function chartsOf(looks) {
  const rate = (/** @type {string} */ name) => rates(looks, (metrics) => sum(metrics, name));
  const failed = rates(looks, (metrics) => sum(metrics, "wfx_http_requests_total", ({ status = "" }) => status.startsWith("5")));
  return [
    { title: words.requests, series: [{ label: words.requestsShort, tone: "open", values: rate("wfx_http_requests_total") }, { label: words.faults, tone: "failed", values: failed }] },
    { title: words.events, series: [{ label: words.eventsShort, tone: "open", values: rate("wfx_log_head") }] },
    { title: words.jobsCreated, series: [{ label: words.jobsShort, tone: "open", values: rate("wfx_jobs_created_total") }] },
    { title: words.latency, series: [{ label: words.latencyShort, tone: "open", values: averages(looks, "wfx_store_commit_duration_seconds").map((seconds) => seconds * 1000) }] },
  ];
}

/** @param {{ looks: readonly Look[] }} props */
export function Charts({ looks }) {
  const charts = useMemo(() => chartsOf(looks), [looks]);
  const times = useMemo(() => looks.slice(1).map(({ at }) => Math.floor(at / 1000)), [looks]);
  return html`<section class="panel" aria-label=${words.activity}>
    <h2>${words.activity}</h2>
    ${times.length === 0
      ? html`<p class="faint">${words.first}</p>`
      : html`<div class="system">${charts.map(({ title, series }) => html`<${Chart} key=${title} title=${title} times=${times} series=${series} />`)}</div>`}
    <p class="faint">${words.sampled(PAUSE)} ${words.workers}</p>
  </section>`;
}
