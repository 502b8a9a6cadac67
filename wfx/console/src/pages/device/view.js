// The page of a device.

import { useEffect } from "preact/hooks";
import { html } from "../../lib/html.js";
import { Empty, Problem } from "../../lib/problem.js";
import { href } from "../../lib/router.js";
import { strings } from "../../lib/strings.en.js";
import { useSubject } from "../../lib/subject.js";
import { Text, Time } from "../../lib/text.js";
import { whileSeen } from "../../lib/while_seen.js";
import { Job as JobOfDevice } from "../devices/columns.js";
import { Actions } from "./actions.js";
import { Jobs } from "./jobs.js";
import { DeviceState } from "./state.js";

/** @typedef {import("./state.js").Shown} Shown */

const words = strings.device;
const BETWEEN_LOOKS = 10_000; // milliseconds

/** @param {{ id: string }} props */
export function View({ id }) {
  const state = useSubject(DeviceState, id);
  useEffect(() => whileSeen(() => state.reading.ask(), { every: BETWEEN_LOOKS }), [state]); // no event tells when it was seen
  const shown = state.shown.value;
  const unknown = state.unknown.value;
  return html`
    <div class="heading">
      <h1><a href=${href("devices")}>${strings.devices.title}</a> / <${Text} text=${id} longest=${80} /></h1>
      ${shown && !unknown && html`<${Actions} state=${state} />`}
    </div>
    ${unknown && html`<${Empty} title=${words.unknown}><a href=${href("devices")}>${strings.devices.showAll}</a><//>`}
    <${Problem} error=${state.error.value} onRetry=${() => void state.start()} />
    ${!shown && !unknown && !state.error.value && html`<p class="skeleton">${strings.loading}</p>`}
    ${shown &&
    html`<div class="device-panels">
        <section class="panel" aria-label=${words.known}><${Known} device=${shown.device} /></section>
        <section class="panel" aria-label=${words.said}><${Said} device=${shown.device} /></section>
      </div>
      <${Jobs} state=${state} shown=${shown} />`}
  `;
}

/** @param {{ device: Shown["device"] }} props */
function Known({ device }) {
  return html`<h2>${words.known}</h2>
    <dl id="device-known">
      <dt>${words.current}</dt><dd><${JobOfDevice} job=${device.currentJob} /></dd>
      <dt>${words.result}</dt><dd><${JobOfDevice} job=${device.lastResult} /></dd>
      <dt>${words.lastSeen}</dt><dd><${Time} at=${device.lastSeen} /></dd>
      <dt>${words.firstSeen}</dt><dd><${Time} at=${device.firstSeen} /></dd>
      <dt>${words.version}</dt><dd>${device.version ? html`<${Text} text=${device.version} />` : "–"}</dd>
    </dl>`;
}

/** @param {{ device: Shown["device"] }} props */
function Said({ device }) {
  const attributes = Object.entries(device.attributes);
  const toDevices = (/** @type {Record<string, string>} */ filter) => href(`devices?${new URLSearchParams(filter)}`);
  return html`<h2>${words.said}</h2>
    ${attributes.length === 0 && device.labels.length === 0 && html`<p class="faint">${words.nothingSaid}</p>`}
    <p>${device.labels.map((label) => html`<a class="tag" key=${label} href=${toDevices({ label })}><${Text} text=${label} longest=${63} /></a> `)}</p>
    <dl id="device-attributes">
      ${attributes.map(([name, value]) => html`<dt><${Text} text=${name} /></dt><dd><a href=${toDevices({ attribute: `${name}:${value}` })}><${Text} text=${value} /></a></dd>`)}
    </dl>`;
}
