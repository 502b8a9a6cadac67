import assert from "node:assert/strict";
import test from "node:test";
import { LiveStream } from "./live_stream.js";

/** A stream without a network; time is turned by hand. */
function made({ refused = false } = {}) {
  /** @type {{ run: () => void, at: number }[]} */
  let waiting = [];
  let clock = 0;
  /** @type {any[]} */
  const sources = [];
  const stream = new LiveStream({
    connect: (/** @type {string} */ since) => {
      const source = { since, closed: false, onopen: () => {}, onmessage: (/** @type {any} */ _) => {}, onerror: () => {}, close() { this.closed = true; } };
      sources.push(source);
      return source;
    },
    isRefused: async () => refused,
    later: (run, milliseconds) => waiting.push({ run, at: clock + milliseconds }),
    now: () => clock,
  });
  const pass = async (/** @type {number} */ milliseconds) => {
    await new Promise(setImmediate);
    clock += milliseconds;
    const due = waiting.filter((each) => each.at <= clock);
    waiting = waiting.filter((each) => each.at > clock);
    for (const each of due) each.run();
  };
  const tab = (/** @type {string} */ since) => {
    /** @type {any} */
    const found = { since, got: [], ids: [], conditions: [], lost: 0 };
    found.subscriber = {
      since,
      send: (/** @type {any} */ message) => {
        if (message.type === "events") found.ids.push(...message.events.map((/** @type {any} */ each) => each.id));
        if (message.type === "condition") found.conditions.push(message.condition.state);
        if (message.type === "lost") found.lost += 1;
      },
    };
    stream.add(found.subscriber);
    return found;
  };
  const send = (/** @type {string} */ id) =>
    sources.at(-1).onmessage({ lastEventId: id, data: '{"action":"DELETE","job":{"id":"j","clientId":"c"}}' });
  return { stream, sources, pass, tab, send };
}

test("events are gathered and given to each tab once", async () => {
  const { sources, pass, tab, send } = made();
  const one = tab("log-5");
  assert.equal(sources[0].since, "log-5");
  send("log-6");
  send("log-6");
  send("log-7");
  assert.deepEqual(one.ids, []);
  await pass(50);
  assert.deepEqual(one.ids, ["log-6", "log-7"]);
});

test("a tab that comes later shares the connection and misses nothing", async () => {
  const { sources, pass, tab, send } = made();
  tab("log-5");
  for (let number = 6; number < 10; number += 1) send(`log-${number}`);
  await pass(50);
  const two = tab("log-7");
  assert.equal(sources.length, 1);
  assert.deepEqual(two.ids, ["log-8", "log-9"]);
});

test("a lost connection is taken up where it broke off", async () => {
  const { sources, pass, tab, send } = made();
  const one = tab("log-5");
  sources[0].onopen();
  send("log-6");
  sources[0].onerror();
  await pass(1000);
  assert.ok(sources[0].closed);
  assert.equal(sources[1].since, "log-6");
  sources[1].onopen();
  send("log-7");
  await pass(50);
  assert.deepEqual(one.ids, ["log-6", "log-7"]);
  assert.deepEqual(one.conditions, ["connecting", "live", "reconnecting", "live"]);
});

test("waits grow, up to a bound", async () => {
  const { sources, pass, tab } = made();
  tab("log-5");
  for (let turn = 0; turn < 8; turn += 1) {
    sources.at(-1).onerror();
    await pass(15_000);
  }
  assert.equal(sources.length, 9);
});

test("tabs read anew where the position is not on the log any more", async () => {
  const { sources, pass, tab } = made({ refused: true });
  const one = tab("log-5");
  sources[0].onerror();
  await pass(60_000);
  assert.equal(one.lost, 1);
  assert.equal(sources.length, 1);
  tab("other-1");
  assert.equal(sources[1].since, "other-1");
});

test("a tab whose position is too old reads anew", async () => {
  const { pass, tab, send } = made();
  tab("log-1");
  for (let number = 2; number < 2500; number += 1) send(`log-${number}`);
  await pass(50);
  const late = tab("log-2");
  assert.equal(late.lost, 1);
  assert.deepEqual(late.ids, []);
});

test("the last tab ends the connection", () => {
  const { stream, sources, tab } = made();
  const one = tab("log-1");
  const two = tab("log-1");
  stream.remove(one.subscriber);
  assert.ok(!sources[0].closed);
  stream.remove(two.subscriber);
  assert.ok(sources[0].closed);
});
