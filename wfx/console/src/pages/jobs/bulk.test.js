import assert from "node:assert/strict";
import test from "node:test";
import { carryOut, look, selectionOf } from "./bulk.js";

/** @param {any[]} answers */
function service(answers) {
  /** @type {any[]} */
  const asked = [];
  const send = async (/** @type {string} */ path, /** @type {any} */ options) => {
    asked.push({ path, ...options });
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return { data: answer };
  };
  return { asked, send };
}

const none = () => false;
const slice = (/** @type {number} */ done, more = {}) => ({ done, failed: 0, items: [], rest: 0, ...more });

test("a look changes nothing", async () => {
  const { asked, send } = service([{ count: 3, failed: 1, items: [] }]);
  const found = await look({ kind: "delete" }, selectionOf({ group: ["FAILED"], state: "" }), send);
  assert.equal(found.count, 3);
  assert.deepEqual(asked[0].body, { selection: { group: ["FAILED"] }, dryRun: true });
});

test("all jobs are a selection too", () => {
  assert.deepEqual(selectionOf({ group: [], state: "" }), { selection: { createdAfter: "1970-01-01T00:00:00Z" } });
});

test("a selection is done slice by slice, each expecting what is left", async () => {
  const { asked, send } = service([slice(1000, { rest: 500, next: "n" }), slice(500)]);
  /** @type {number[]} */
  const told = [];
  const work = /** @type {import("./bulk.js").Work} */ ({ kind: "tag", add: ["a"], remove: [] });
  const result = await carryOut(work, selectionOf({ tag: ["r7"] }), 1500, ({ done }) => told.push(done), none, send);
  assert.deepEqual(told, [1000, 1500]);
  assert.equal(result.done, 1500);
  assert.deepEqual(asked.map(({ body }) => [body.expect, body.after, body.limit, body.add, body.remove]), [
    [1500, undefined, 1000, ["a"], undefined],
    [500, "n", 1000, ["a"], undefined],
  ]);
  assert.notEqual(asked[0].idempotencyKey, asked[1].idempotencyKey);
});

test("ids go in slices too, and it can be stopped between them", async () => {
  const ids = Array.from({ length: 2500 }, (_, index) => String(index));
  const { asked, send } = service([slice(1000), slice(1000)]);
  let told = 0;
  const result = await carryOut({ kind: "delete" }, { ids }, 2500, () => (told += 1), () => told === 2, send);
  assert.deepEqual([result.done, result.stopped], [2000, true]);
  assert.equal(asked[1].body.ids[0], "1000");
});

test("a slice whose answer was lost is sent again with its key", async () => {
  const lost = Object.assign(new Error("no answer"), { status: 0 });
  const { asked, send } = service([lost, slice(1)]);
  const result = await carryOut({ kind: "delete" }, { ids: ["a"] }, 1, () => {}, none, send);
  assert.equal(result.done, 1);
  assert.equal(asked[0].idempotencyKey, asked[1].idempotencyKey);
});

test("a refusal is not sent again", async () => {
  const { send } = service([Object.assign(new Error("more than expected"), { status: 412 })]);
  await assert.rejects(carryOut({ kind: "delete" }, { ids: ["a"] }, 1, () => {}, none, send), /more than expected/);
});
