import assert from "node:assert/strict";
import test from "node:test";
import { conditions, filtersOf, fits } from "./filters.js";
import { Log } from "./log.js";
import { readBefore } from "./older.js";

/** @param {number} number @param {string} job @param {string} [state] @param {string} [action] @returns {import("../../lib/live.js").LiveEvent} */
const event = (number, job, state, action = "UPDATE_STATUS") => ({
  id: `log-${number}`,
  action,
  ctime: "2026-07-01T08:00:00Z",
  job: { id: job, clientId: `c-${job}`, workflow: "lamp", ...(state && { state }) },
});
const seen = (/** @type {Log} */ log) => log.rows.map((row) => `${row.id.slice(4)} ${row.from ?? ""}>${row.job.state ?? ""}`);

test("states before are told by what is there, live and back in time", () => {
  const log = new Log();
  log.older([event(5, "a", "DIM"), event(6, "b", "DARK", "CREATE")]);
  log.newer([event(7, "a", undefined, "ADD_TAGS"), event(8, "a", "BRIGHT")]);
  log.older([event(3, "a", "DARK", "CREATE"), event(4, "c", "DARK", "CREATE")]);
  assert.deepEqual(seen(log), ["8 DIM>BRIGHT", "7 >", "6 >DARK", "5 DARK>DIM", "4 >DARK", "3 >DARK"]);
  assert.equal(log.cut(4), 5);
  log.older([event(4, "c", "DARK", "CREATE")]);
  assert.deepEqual(seen(log).at(-1), "4 >DARK");
});

test("filters are sent as the service takes them, and an event has to fit all", () => {
  const filters = filtersOf(new URLSearchParams("client=c-a&action=create&action=DELETE&workflow=lamp"));
  assert.deepEqual(conditions(filters), { clientIds: ["c-a"], workflows: ["lamp"], actions: ["create", "delete"], jobIds: [] });
  assert.ok(fits(filters, event(1, "a", "DARK", "CREATE")));
  assert.ok(!fits(filters, event(1, "b", "DARK", "CREATE")));
  assert.ok(!fits(filters, event(1, "a", "DIM")));
});

/** A log with the numbers from `oldest` to 1000, that gives pages of 100 at most. @param {number} oldest @param {(number: number) => boolean} fit */
function service(oldest, fit) {
  const asked = /** @type {number[]} */ ([]);
  const read = async (/** @type {string} */ since) => {
    const after = Number(since.slice(4));
    asked.push(after);
    if (after !== 0 && after < oldest - 1) throw Object.assign(new Error("dropped"), { status: 410, data: { oldest } });
    const found = Array.from({ length: 1000 }, (_, index) => index + 1).filter((number) => number > after && number >= oldest && fit(number));
    const some = found.slice(0, 100).map((number) => ({ id: `log-${number}`, event: event(number, String(number), "DARK") }));
    return { content: some, next: some.length === 100 ? (some.at(-1)?.id ?? "") : "log-1000" };
  };
  return { asked, read };
}

test("back in time no event is left out, and none comes twice", async () => {
  const { read } = service(1, () => true);
  const first = await readBefore(read, "log", 1001, 250);
  assert.deepEqual([first.events.length, first.events[0]?.id, first.begin], [250, "log-751", 751]);
  const second = await readBefore(read, "log", first.begin, 250);
  assert.deepEqual([second.events.at(-1)?.id, second.begin], ["log-750", 501]);
});

test("what was dropped ends it", async () => {
  const { read } = service(900, () => true);
  const found = await readBefore(read, "log", 1001, 250);
  assert.deepEqual([found.events[0]?.id, found.begin, found.complete], ["log-900", 900, true]);
});

test("a filter that few meet takes few requests", async () => {
  const { asked, read } = service(1, (number) => number === 2);
  const found = await readBefore(read, "log", 1001, 250);
  assert.deepEqual([found.events.length, found.complete, found.begin], [1, true, 1]);
  assert.ok(asked.length < 6, String(asked));
});
