/**
 * Layers of a graph: gives vertices their ranks by longest paths, and long edges a vertex in each rank between.
 *
 * First part of the method of Sugiyama, Tagawa and Toda (1981), in time proportional to vertices and edges. Edges to
 * the same vertex run together like the branches of a tree.
 */
import { connect, lowerEnd, upperEnd, vertex } from "./vertex.js";

/** @typedef {import("./vertex.js").Vertex} Vertex */
/** @typedef {import("./vertex.js").Edge} Edge */

/** Vertices within edges, those of all edges together. */
export const MOST_WITHIN = 20_000;

/**
 * Rank the vertices and connect them, edge by edge, the short ones first; those too long to draw are passed over.
 * @param {readonly Vertex[]} vertices
 * @param {readonly Edge[]} edges without cycles, but for edges that are turned
 * @returns {Vertex[]} the vertices within edges
 */
export function layer(vertices, edges) {
  rank(vertices, edges);
  const span = (/** @type {Edge} */ edge) => lowerEnd(edge).rank - upperEnd(edge).rank;
  /** @type {Map<Vertex, Vertex[]>} from a vertex on upwards, what the edges to it have within them */
  const trunks = new Map();
  let within = 0;
  const made = [];
  for (const edge of [...edges].sort((one, other) => span(one) - span(other))) {
    const end = lowerEnd(edge);
    const trunk = (edge.upwards ? undefined : trunks.get(end)) ?? [end];
    within += span(edge) - trunk.length;
    if (within > MOST_WITHIN) {
      within -= span(edge) - trunk.length;
      continue;
    }
    for (let top = end.rank - trunk.length; top > upperEnd(edge).rank; top--) {
      const passed = vertex({ width: 0, height: 0, rank: top, within: true });
      connect(passed, trunk.at(-1) ?? end, edge.upwards);
      trunk.push(passed);
      made.push(passed);
    }
    if (!edge.upwards) trunks.set(end, trunk);
    edge.first = connect(upperEnd(edge), trunk[span(edge) - 1] ?? end, edge.upwards);
  }
  return made;
}

/**
 * Put each vertex as high as it can be, and then those that nothing leads to as low.
 * @param {readonly Vertex[]} vertices
 * @param {readonly Edge[]} edges
 */
function rank(vertices, edges) {
  /** @type {Map<Vertex, {lower: Vertex[], waiting: number}>} */
  const around = new Map(vertices.map((one) => [one, { lower: [], waiting: 0 }]));
  for (const edge of edges) {
    around.get(upperEnd(edge))?.lower.push(lowerEnd(edge));
    const end = around.get(lowerEnd(edge));
    if (end) end.waiting++;
  }
  const tops = vertices.filter((one) => !around.get(one)?.waiting);
  const ready = [...tops];
  for (const one of ready) { // which grows
    for (const lower of around.get(one)?.lower ?? []) {
      const end = around.get(lower);
      lower.rank = Math.max(lower.rank, one.rank + 1);
      if (end && !--end.waiting) ready.push(lower);
    }
  }
  for (const top of tops) {
    const lower = around.get(top)?.lower ?? [];
    if (lower.length) top.rank = lower.reduce((least, one) => Math.min(least, one.rank), Infinity) - 1;
  }
}
