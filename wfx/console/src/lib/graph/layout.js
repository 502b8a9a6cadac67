/**
 * Layout of a graph: layers, order, places, and the routes of its edges; the same for the same graph.
 */
import { breakCycles } from "./cycles.js";
import { layer } from "./layers.js";
import { order } from "./order.js";
import { place } from "./positions.js";
import { loop, placePorts, placeRows, route } from "./routes.js";
import { linksOf, right, vertex } from "./vertex.js";

/** How far a loop reaches out of its box. */
const LOOP = 24;

/**
 * What to lay out: boxes by their sizes, the first one above, and edges between different ones, none twice.
 * @typedef {object} Graph
 * @property {readonly {width: number, height: number, loops: boolean}[]} boxes
 * @property {readonly {from: number, to: number}[]} edges
 */

/**
 * Where a box is: its middle, its size, and the path of its loop.
 * @typedef {{x: number, y: number, width: number, height: number, loop: string | null}} Box
 */

/** @typedef {import("./routes.js").Route} Route */

/**
 * Where everything is.
 * @typedef {object} Layout
 * @property {number} width
 * @property {number} height
 * @property {Box[]} boxes
 * @property {Route[]} lines what is drawn of edges, from rank to rank; edges to the same box share lines
 * @property {(edge: number) => Route[]} linesOf those of an edge, from above; none for one that is too long to draw
 * @property {(edge: number) => Route | undefined} firstLineOf that at its upper end, which no other edge shares
 */

/**
 * Lay out a graph.
 * @param {Graph} graph
 * @returns {Layout}
 */
export function layout(graph) {
  const vertices = graph.boxes.map(({ width, height, loops }) => vertex({ width, height, reach: loops ? LOOP : 0 }));
  const edges = edgesOf(graph, vertices);
  breakCycles(vertices, edges);
  const all = [...vertices, ...layer(vertices, edges)];
  const ordered = order(all);
  place(ordered);
  const rows = placeRows(ordered);
  all.forEach(placePorts);
  const links = all.flatMap((one) => one.below);
  const lines = new Map(links.map((link) => [link, route(link, rows)]));
  return {
    width: all.reduce((most, one) => Math.max(most, one.x + right(one)), 0),
    height: rows.at(-1)?.bottom ?? 0,
    boxes: vertices.map((one) => ({ x: one.x, y: one.y, ...sizeOf(one), loop: one.reach ? loop(one) : null })),
    lines: [...lines.values()],
    linesOf: (number) => {
      const edge = edges[number];
      return edge ? linksOf(edge).flatMap((link) => lines.get(link) ?? []) : [];
    },
    firstLineOf: (number) => {
      const first = edges[number]?.first;
      return first ? lines.get(first) : undefined;
    },
  };
}

/** @param {import("./vertex.js").Vertex} one */
const sizeOf = ({ width, height }) => ({ width, height });

/**
 * Make the edges between vertices.
 * @param {Graph} graph
 * @param {readonly import("./vertex.js").Vertex[]} vertices
 * @returns {import("./vertex.js").Edge[]}
 */
function edgesOf(graph, vertices) {
  return graph.edges.map(({ from, to }) => {
    const [origin, target] = [vertices[from], vertices[to]];
    if (!origin || !target || origin === target) throw new RangeError(`no edge leads from box ${from} to box ${to}`);
    return { from: origin, to: target, upwards: false, first: null };
  });
}
