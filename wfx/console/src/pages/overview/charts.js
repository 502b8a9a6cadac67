// What happened in the last hours, and how much happens now.

import { useEffect, useMemo, useState } from "preact/hooks";
import { Chart } from "../../lib/chart.js";
import { EventRate } from "../../lib/event_rate.js";
import { html } from "../../lib/html.js";
import { follow } from "../../lib/live.js";
import { strings } from "../../lib/strings.en.js";
import { now } from "../../lib/text.js";
import { whileSeen } from "../../lib/while_seen.js";
import { affordable, HOUR, Hours, HOURS, openAt } from "./hours.js";

/** @typedef {import("./hours.js").Hour} Hour */

const words = strings.overview;
const SECONDS = 120;
const PAUSE = 300_000; // milliseconds between two readings of the hours
const kept = new Hours();

/** @param {{ position: string, open: number, jobs: number }} props `position` where the events to count begin */
export function Activity({ position, open, jobs }) {
  const [hours, setHours] = useState(/** @type {Hour[]} */ ([]));
  const [most, setMost] = useState(() => affordable(jobs));
  useEffect(() => {
    const ending = new AbortController();
    const read = () => kept.read(Date.now(), most, ending.signal, setHours).catch(() => {}); // what is shown stays
    const stop = whileSeen(read, { every: PAUSE, atOnce: true });
    return () => {
      ending.abort();
      stop();
    };
  }, [most]);
  const ends = useMemo(() => withEnd(hours), [hours]);
  const series = useMemo(() => [
    { label: words.created, tone: "open", values: ends.map(({ created }) => created) },
    { label: words.closed, tone: "closed", values: ends.map(({ closed }) => closed) },
    { label: words.failedShort, tone: "failed", values: ends.map(({ failed }) => failed) },
  ], [ends]);
  const times = useMemo(() => ends.map(({ start }) => start / 1000), [ends]);
  const opened = useMemo(() => [{ label: words.groups.OPEN ?? "", tone: "open", values: [...openAt(hours, open), ...(hours.length > 0 ? [open] : [])] }], [hours, open]);
  return html`<section class="panel" aria-label=${words.activity}>
    <${Chart} title=${words.hours} times=${times} series=${series} height=${130} />
    <${Chart} title=${words.openAt} times=${times} series=${opened} height=${100} />
    ${most < HOURS && html`<p class="faint">${words.many(jobs)} <button type="button" onClick=${() => setMost(HOURS)}>${words.countAll}</button></p>`}
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
