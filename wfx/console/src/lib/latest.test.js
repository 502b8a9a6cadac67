import assert from "node:assert/strict";
import test from "node:test";
import { Latest } from "./latest.js";

/** A question whose answer comes when it is told. */
function question() {
  /** @type {(answer: string) => void} */
  let answer = () => {};
  /** @type {(error: Error) => void} */
  let fail = () => {};
  const asked = new Promise((resolve, reject) => ([answer, fail] = [resolve, reject]));
  return { ask: () => asked, answer, fail };
}

test("an answer that a later one has overtaken is dropped, and so is such an error", async () => {
  const latest = new Latest();
  const [first, second, third] = [question(), question(), question()];
  const answers = [first, second, third].map(({ ask }) => latest.of(ask));
  second.answer("second");
  assert.equal(await answers[1], "second");
  first.fail(new Error("too late"));
  assert.equal(await answers[0], undefined);
  third.answer("third");
  assert.equal(await answers[2], "third");
});

test("an error is told, and an answer that comes in time is not dropped for a later question", async () => {
  const latest = new Latest();
  const [first, second] = [question(), question()];
  const answers = [latest.of(first.ask), latest.of(second.ask)];
  first.answer("first");
  assert.equal(await answers[0], "first");
  second.fail(new Error("in time"));
  await assert.rejects(/** @type {Promise<unknown>} */ (answers[1]), /in time/);
});
