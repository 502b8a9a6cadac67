import assert from "node:assert/strict";
import { Session } from "node:inspector/promises";
import { after, before, test } from "node:test";
import { layout } from "./layout.js";
import { made } from "./sample_graphs.js";

const session = new Session();

// Functions that ran before have no counters in their blocks: so these tests have a file, and a process, of their own.
before(async () => {
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
});
after(() => session.disconnect());

/** Count how often the blocks of the modules here run. @param {() => unknown} action */
async function steps(action) {
  await session.post("Profiler.takePreciseCoverage");
  action();
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const here = result.filter(({ url }) => url.includes("/lib/graph/") && !/test|sample/.test(url));
  const blocks = here.flatMap((script) => script.functions.flatMap(({ ranges }) => ranges));
  return blocks.reduce((sum, { count }) => sum + count, 0);
}

for (const [name, how] of Object.entries({ near: { far: 40 }, far: {}, "in cycles": { back: true } })) {
  test(`4,096 states and 16,000 transitions that lead ${name} take a bounded number of steps`, async () => {
    const graphs = [made(2048, 8000, how), made(4096, 16000, how)];
    const half = await steps(() => layout(graphs[0] ?? made(0, 0)));
    const whole = await steps(() => layout(graphs[1] ?? made(0, 0)));
    assert.ok(half > 100_000, "nothing was counted");
    assert.ok(whole < 40_000_000, `${whole} steps`);
    assert.ok(whole < 3 * half, `${half} steps became ${whole}`);
  });
}
