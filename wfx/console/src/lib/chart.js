// A chart over time: a line for each series. The same numbers are a table for who cannot see it.

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { clock } from "./format.js";
import { html } from "./html.js";
import { number } from "./strings.en.js";
import { dark, theme } from "./theme.js";

/** @typedef {{ label: string, tone: string, values: readonly number[] }} Series `tone` as of a group (status.js) */
/**
 * @typedef {object} ChartProps
 * @property {string} title
 * @property {readonly number[]} times seconds since 1970, ascending
 * @property {readonly Series[]} series
 * @property {number} [height] pixels
 */

/** @param {ChartProps} props */
export function Chart({ title, times, series, height = 150 }) {
  const frame = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {uPlot | null} */ (null));
  const names = series.map(({ label }) => label).join(" ");
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const drawn = new uPlot(options(element, series, height), dataOf(times, series), element);
    plot.current = drawn;
    const resized = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      drawn.destroy();
    };
  }, [names, height, theme.value, dark.value]);
  useEffect(() => plot.current?.setData(dataOf(times, series)), [times, series]);
  return html`<figure class="chart">
    <figcaption>
      ${title}
      ${series.length > 1 && series.map(({ label, tone }) => html` <span key=${label} class=${`key tone-${tone}`}><span class="mark" aria-hidden="true"></span>${label}</span>`)}
    </figcaption>
    <div ref=${frame} aria-hidden="true"></div>
    <${Numbers} title=${title} times=${times} series=${series} />
  </figure>`;
}

/** @param {{ title: string, times: readonly number[], series: readonly Series[] }} props */
function Numbers({ title, times, series }) {
  return html`<div class="off-screen"><table>
    <caption>${title}</caption>
    <thead><tr><td></td>${series.map(({ label }) => html`<th key=${label}>${label}</th>`)}</tr></thead>
    <tbody>
      ${times.map((time, index) => html`<tr key=${time}><th>${clock(new Date(time * 1000))}</th>${series.map(({ label, values }) => html`<td key=${label}>${number(values[index] ?? 0)}</td>`)}</tr>`)}
    </tbody>
  </table></div>`;
}

/** As uPlot takes it. @param {readonly number[]} times @param {readonly Series[]} series @returns {uPlot.AlignedData} */
function dataOf(times, series) {
  return [[...times], ...series.map(({ values }) => [...values])];
}

/** @param {HTMLElement} element @param {readonly Series[]} series @param {number} height @returns {uPlot.Options} */
function options(element, series, height) {
  const line = colourOf(element, "tone-line");
  const axis = { stroke: colourOf(element, "tone-none"), grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "11px system-ui, sans-serif" };
  const whole = (/** @type {uPlot} */ _plot, /** @type {number[]} */ ticks) => ticks.map((tick) => (Number.isInteger(tick) ? number(tick) : ""));
  const clocks = (/** @type {uPlot} */ _plot, /** @type {number[]} */ ticks, /** @type {number} */ _index, /** @type {number} */ _space, /** @type {number} */ step) => ticks.map((tick) => clock(new Date(tick * 1000)).slice(0, step % 60 === 0 ? 5 : 8));
  const paths = uPlot.paths.stepped?.({ align: 1 });
  return {
    width: element.clientWidth || 300,
    height,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(4, high * 1.1)] } },
    axes: [{ ...axis, space: 70, size: 28, values: clocks }, { ...axis, space: 22, size: 52, values: whole }],
    series: [{}, ...series.map(({ label, tone }) => ({ label, stroke: colourOf(element, `tone-${tone}`), width: 2, points: { show: false }, ...(paths && { paths }) }))],
  };
}

/** The colour that text with a class has in the present theme: a canvas knows no custom properties. @param {HTMLElement} element @param {string} name */
function colourOf(element, name) {
  const probe = document.createElement("span");
  probe.className = `chart-colour ${name}`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
