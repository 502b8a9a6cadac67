// What happened in the last hours, and how much happens now.

import { useEffect, useMemo, useState } from "preact/hooks";
import { isAbort } from "../../lib/api.js";
import { Chart } from "../../lib/chart.js";
import { EventRate } from "../../lib/event_rate.js";
import { html } from "../../lib/html.js";
import { follow } from "../../lib/live.js";
import { strings } from "../../lib/strings.en.js";
import { now } from "../../lib/text.js";
import { HOUR, readHours } from "./hours.js";

/** @typedef {import("./hours.js").Hour} Hour */

const words = strings.overview;
const SECONDS = 120;
const PAUSE = 300_000; // milliseconds between two readings of the hours

/** @param {{ position: string }} props where the events to count begin */
export function Activity({ position }) {
  const [hours, setHours] = useState(/** @type {Hour[]} */ ([]));
  useEffect(() => {
    const ending = new AbortController();
    const read = () => readHours(Date.now(), ending.signal, setHours).catch((error) => isAbort(error) || setHours([]));
    void read();
    const timer = setInterval(read, PAUSE);
    return () => {
      ending.abort();
      clearInterval(timer);
    };
  }, []);
  const ends = useMemo(() => withEnd(hours), [hours]);
  const series = useMemo(() => [
    { label: words.created, tone: "open", values: ends.map(({ created }) => created) },
    { label: words.closed, tone: "closed", values: ends.map(({ closed }) => closed) },
    { label: words.failedShort, tone: "failed", values: ends.map(({ failed }) => failed) },
  ], [ends]);
  const times = useMemo(() => ends.map(({ start }) => start / 1000), [ends]);
  return html`<section class="panel" aria-label=${words.activity}>
    <${Chart} title=${words.hours} times=${times} series=${series} />
    <${Rate} position=${position} />
  </section>`;
}

/** With the end of the last hour, so that this one is seen, too. @param {readonly Hour[]} hours @returns {readonly Hour[]} */
function withEnd(hours) {
  const last = hours.at(-1);
  return last ? [...hours, { ...last, start: last.start + HOUR }] : hours;
}

/** @param {{ position: string }} props */
function Rate({ position }) {
  const rate = useMemo(() => new EventRate(SECONDS), []);
  const since = useMemo(() => position, []);
  useEffect(() => {
    /** @type {() => void} */
    let stop = () => {};
    const begin = (/** @type {string} */ from) => {
      stop = follow({ since: from, onEvents: (events) => rate.add(Date.now(), events.length), onLost: () => {} });
    };
    begin(since);
    return () => stop();
  }, []);
  const at = now.value;
  const counts = rate.until(at);
  const second = Math.floor(at / 1000);
  const times = counts.map((_, index) => second - (counts.length - 1 - index));
  const recent = counts.slice(-11, -1).reduce((all, each) => all + each, 0) / 10;
  return html`<${Chart} title=${words.rate(recent)} times=${times} series=${[{ label: words.events, tone: "open", values: counts }]} height=${100} />`;
}
