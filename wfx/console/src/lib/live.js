// What pages follow changes by: one stream for all tabs, one paint for many events, nothing missed and nothing twice.

import { signal } from "@preact/signals";
import { API, UI } from "./base.js";
import { browserParts } from "./live_connect.js";
import { LiveStream, logOf, numberOf } from "./live_stream.js";

/** @typedef {import("./live_stream.js").LiveEvent} LiveEvent */
/** @typedef {import("./live_stream.js").LiveJob} LiveJob */
/** @typedef {import("./live_stream.js").Message} Message */
/** @typedef {import("./live_stream.js").Condition} Condition */
/**
 * @typedef {object} Follower
 * @property {string} since the position of what the page shows: `position` of an answer, or the id of an event
 * @property {(events: LiveEvent[]) => void} onEvents what happened since, once per paint at most
 * @property {() => void} onLost changes were missed: read all anew, and follow from there
 */
/** @typedef {{ begin: (key: number, since: string, receive: (message: Message) => void) => void, end: (key: number) => void }} Transport */

const MOST = 20_000; // events that wait in a tab that is paused or hidden, before it reads all anew

/** How the stream is. */
export const condition = signal(/** @type {Condition} */ ({ state: "connecting", until: 0 }));

/** Whether changes are held back in this tab. */
export const paused = signal(false);

/** How many pages follow; without any there is nothing to tell. */
export const followers = signal(0);

/** @type {Transport | undefined} */
let transport;
let lastKey = 0;

/** Follows what happens until the function that is returned is called. @param {Follower} follower */
export function follow({ since, onEvents, onLost }) {
  transport ??= makeTransport();
  const key = (lastKey += 1);
  let seen = since;
  /** @type {LiveEvent[]} */
  let waiting = [];
  let ended = false;
  let asked = false;
  const end = () => {
    if (ended) return;
    ended = true;
    resume();
    followers.value -= 1;
    transport?.end(key);
  };
  const lose = () => {
    end();
    onLost();
  };
  const paint = () => {
    asked = false;
    if (ended || paused.peek() || waiting.length === 0) return;
    const events = waiting;
    waiting = [];
    onEvents(events);
  };
  const ask = () => {
    if (asked) return;
    asked = true;
    if (document.hidden) setTimeout(paint, 500);
    else requestAnimationFrame(paint);
  };
  const resume = paused.subscribe((held) => {
    if (!held && waiting.length > 0) ask();
  });
  followers.value += 1;
  transport.begin(key, since, (message) => {
    if (ended) return;
    if (message.type === "condition") condition.value = message.condition;
    else if (message.type === "lost") lose();
    else {
      for (const event of message.events) {
        if (logOf(event.id) === logOf(seen) && numberOf(event.id) <= numberOf(seen)) continue;
        seen = event.id;
        waiting.push(event);
      }
      if (waiting.length > MOST) lose();
      else if (waiting.length > 0) ask();
    }
  });
  return end;
}

/** @returns {Transport} */
function makeTransport() {
  if (typeof SharedWorker === "undefined" || typeof LIVE_WORKER === "undefined") return ownTransport();
  const worker = new SharedWorker(UI + LIVE_WORKER, { type: "module", name: "wfx-live" });
  /** @type {Map<number, (message: Message) => void>} */
  const receivers = new Map();
  worker.port.onmessage = ({ data }) => receivers.get(data.key)?.(data);
  setInterval(() => worker.port.postMessage({ type: "alive" }), 20_000);
  addEventListener("pagehide", () => {
    for (const key of receivers.keys()) worker.port.postMessage({ type: "stop", key });
  });
  return {
    begin: (key, since, receive) => {
      receivers.set(key, receive);
      worker.port.postMessage({ type: "follow", key, since });
    },
    end: (key) => {
      receivers.delete(key);
      worker.port.postMessage({ type: "stop", key });
    },
  };
}

/** A stream of this tab alone, for browsers without shared workers. @returns {Transport} */
function ownTransport() {
  const stream = new LiveStream(browserParts(`${API}/jobs/events`));
  /** @type {Map<number, import("./live_stream.js").Subscriber>} */
  const followed = new Map();
  return {
    begin: (key, since, receive) => {
      const subscriber = { since, send: receive };
      followed.set(key, subscriber);
      stream.add(subscriber);
    },
    end: (key) => {
      const found = followed.get(key);
      if (found) stream.remove(found);
      followed.delete(key);
    },
  };
}
