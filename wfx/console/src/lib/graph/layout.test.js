import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST_WITHIN } from "./layers.js";
import { layout } from "./layout.js";
import { chain, made } from "./sample_graphs.js";

/** @typedef {import("./layout.js").Layout} Layout */

const graphs = {
  "a single state": made(1, 0),
  "a path with an exit of each state": chain(12),
  "a small graph": made(12, 20),
  "many graphs beside each other": made(60, 20, { seed: 3 }),
  "a graph with cycles": made(30, 70, { seed: 5, back: true }),
  "a dense graph": made(25, 250, { seed: 7 }),
  "a long graph": made(400, 1200, { seed: 11, far: 12 }),
};

/** @param {string} path */
const points = (path) => {
  const found = [];
  let [x, y] = [0, 0];
  for (const [, letter, text] of path.matchAll(/([MVC])([^MVC]*)/g)) {
    const given = (text ?? "").trim().split(/[ ,]/).map(Number);
    [x, y] = letter === "V" ? [x, given[0] ?? NaN] : [given.at(-2) ?? NaN, given.at(-1) ?? NaN];
    found.push({ letter, x, y });
  }
  return found;
};

const near = (/** @type {number} */ one, /** @type {number} */ other) => Math.abs(one - other) <= 0.11;

/** @param {Layout} placed */
const overlaps = ({ boxes }) => boxes.flatMap((one, at) => boxes.slice(at + 1).filter((other) =>
  Math.abs(one.x - other.x) < (one.width + other.width) / 2 && Math.abs(one.y - other.y) < (one.height + other.height) / 2));

for (const [name, graph] of Object.entries(graphs)) {
  const placed = layout(graph);

  test(`${name}: no box lies on another, and all are within the picture`, () => {
    assert.deepEqual(overlaps(placed), []);
    for (const { x, y, width, height } of placed.boxes) {
      assert.ok(x - width / 2 > -0.01 && x + width / 2 < placed.width + 0.01);
      assert.ok(y - height / 2 > -0.01 && y + height / 2 < placed.height + 0.01);
    }
  });

  test(`${name}: each edge leads from the border of one box without a gap to that of the other`, () => {
    graph.edges.forEach(({ from, to }, edge) => {
      const lines = placed.linesOf(edge).map((line) => points(line.path));
      const [origin, target] = [placed.boxes[from], placed.boxes[to]];
      assert.ok(origin && target && lines.length);
      const upwards = target.y < origin.y;
      const way = upwards ? lines.reverse() : lines;
      const [start, end] = [way.at(0)?.at(0), way.at(-1)?.at(-1)];
      assert.ok(start && end);
      for (const [box, at, side] of /** @type {const} */ ([[origin, start, 1], [target, end, -1]])) {
        assert.ok(Math.abs(at.x - box.x) <= box.width / 2, "beside the box");
        assert.ok(near(at.y, box.y + (upwards ? -side : side) * (box.height / 2)), "above or below its border");
      }
      way.slice(1).forEach((line, number) => {
        const [before, after] = [way[number]?.at(-1), line.at(0)];
        assert.ok(before && after && near(before.x, after.x) && near(before.y, after.y), "a gap");
      });
    });
  });

  test(`${name}: arrows point at boxes, and there is one for each edge that does not share its end`, () => {
    const ends = placed.lines.filter((line) => line.arrow).map((line) => points(line.path).at(-1));
    for (const end of ends) {
      assert.ok(placed.boxes.some((box) =>
        end && Math.abs(end.x - box.x) <= box.width / 2 && near(Math.abs(end.y - box.y), box.height / 2)));
    }
    graph.edges.forEach((_, edge) => assert.equal(placed.linesOf(edge).filter((line) => line.arrow).length, 1));
  });

  test(`${name}: no upright line goes through a box`, () => {
    for (const line of placed.lines) {
      const way = points(line.path);
      way.slice(1).forEach((point, number) => {
        const [top, bottom] = [Math.min(point.y, way[number]?.y ?? 0), Math.max(point.y, way[number]?.y ?? 0)];
        const crossed = placed.boxes.filter((box) => point.letter === "V" && Math.abs(box.x - point.x) < box.width / 2 &&
          bottom > box.y - box.height / 2 + 0.1 && top < box.y + box.height / 2 - 0.1);
        assert.deepEqual(crossed, []);
      });
    }
  });

  test(`${name}: the same graph is laid out the same way`, () => {
    const again = layout(structuredClone(graph));
    assert.deepEqual(again.boxes, placed.boxes);
    assert.deepEqual(again.lines, placed.lines);
  });
}

test("a path stays a straight column beside the edges that leave it", () => {
  const { boxes } = layout(chain(40));
  const across = boxes.slice(0, -2).map((box) => box.x);
  assert.ok(Math.max(...across) - Math.min(...across) < 40, `${across}`);
});

test("edges that would need too many places in between are left out, and short ones are all drawn", () => {
  const { boxes, edges: far } = made(1000, 4000, { seed: 13 });
  const edges = [...far.filter(({ from, to }) => to > from + 1), ...chain(1000).edges.filter(({ from, to }) => to === from + 1)];
  const placed = layout({ boxes, edges });
  const left = edges.filter((_, edge) => !placed.linesOf(edge).length);
  assert.ok(left.length > 0);
  assert.ok(left.every(({ from, to }) => to - from > 1));
  assert.ok(placed.lines.length <= MOST_WITHIN + edges.length);
});

test("an edge to a box that is not there is refused", () => {
  assert.throws(() => layout({ boxes: made(2, 0).boxes, edges: [{ from: 0, to: 2 }] }), /from box 0 to box 2/);
});

test("a path of 4,096 states that all lead to the last one is drawn whole", () => {
  const graph = chain(4096);
  const placed = layout(graph);
  assert.equal(placed.lines.length, graph.edges.length + 4096 - 3);
  assert.equal(placed.linesOf(1).length, 4094);
});
