// The shared worker: holds the one stream of all tabs.

import { browserParts } from "./live_connect.js";
import { LiveStream } from "./live_stream.js";

/** @typedef {import("./live_stream.js").Subscriber} Subscriber */
/** @typedef {{ type: "follow", key: number, since: string } | { type: "stop", key: number } | { type: "alive" }} Asked */

const events = new URL("../api/wfx/v1/jobs/events", import.meta.url).pathname;
const stream = new LiveStream(browserParts(events));
const SILENT = 90_000; // a tab that was not heard of for so long is gone: browsers do not tell

/** @param {MessagePort} port */
function serve(port) {
  /** @type {Map<number, Subscriber>} */
  const followed = new Map();
  let heard = Date.now();
  const stop = (/** @type {number} */ key) => {
    const found = followed.get(key);
    if (found) stream.remove(found);
    followed.delete(key);
  };
  /** @type {Set<number>} */
  const dropped = new Set();
  setInterval(() => {
    if (Date.now() - heard < SILENT) return;
    for (const key of [...followed.keys()]) {
      stop(key);
      dropped.add(key);
    }
  }, 30_000);
  port.onmessage = ({ data }) => {
    const asked = /** @type {Asked} */ (data);
    heard = Date.now();
    // A tab that the browser had frozen is back.
    for (const key of dropped) port.postMessage({ type: "lost", key });
    dropped.clear();
    if (asked.type === "stop") stop(asked.key);
    if (asked.type !== "follow") return;
    const { key, since } = asked;
    const subscriber = { since, send: (/** @type {object} */ message) => port.postMessage({ ...message, key }) };
    followed.set(key, subscriber);
    stream.add(subscriber);
  };
}

/** @type {any} */ (globalThis).onconnect = (/** @type {MessageEvent} */ { ports }) => {
  for (const port of ports) serve(port);
};
