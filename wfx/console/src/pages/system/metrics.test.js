import assert from "node:assert/strict";
import test from "node:test";
import { averages, metricsOf, rates, sum } from "./metrics.js";

const TEXT = `# HELP a_total What
a_total{route="/x",status="200"} 3.0
a_total{route="/\\"}\\\\",status="500"} 2
t_seconds_bucket{le="1"} 9
t_seconds_count 4
t_seconds_sum 0.5
big 1.5e+09
`;

test("samples are read with their labels, buckets left out", () => {
  const found = metricsOf(TEXT);
  assert.equal(sum(found, "a_total"), 5);
  assert.equal(sum(found, "a_total", ({ status }) => status === "500"), 2);
  assert.equal(found.get("a_total")?.[1]?.labels["route"], '/"}\\');
  assert.equal(sum(found, "big"), 1.5e9);
  assert.equal(found.has("t_seconds_bucket"), false);
});

test("a counter grows by the second, and one that begins anew counts from zero", () => {
  const looks = [[0, 10], [2000, 14], [3000, 3]].map(([at = 0, count]) => ({ at, metrics: metricsOf(`c ${count}\n`) }));
  assert.deepEqual(rates(looks, (metrics) => sum(metrics, "c")), [2, 3]);
});

test("averages are of what came between two looks", () => {
  const looks = [[0, 1, 1], [1, 3, 2], [2, 3, 2]].map(([at = 0, count, all]) => ({ at, metrics: metricsOf(`t_count ${count}\nt_sum ${all}\n`) }));
  assert.deepEqual(averages(looks, "t"), [0.5, 0]);
});
