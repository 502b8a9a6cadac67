/**
 * Cycles of a graph: turns edges round so that none is left.
 */

/** @typedef {import("./vertex.js").Vertex} Vertex */
/** @typedef {import("./vertex.js").Edge} Edge */

/**
 * Turn the edges that close a cycle for a walk that starts at the first vertex, then at the others.
 * @param {readonly Vertex[]} vertices
 * @param {readonly Edge[]} edges
 */
export function breakCycles(vertices, edges) {
  const leaving = outgoing(edges);
  const met = new Set();
  const done = new Set();
  for (const root of vertices) {
    /** @type {[Vertex, Iterator<Edge>][]} the way that leads here */
    const way = met.has(root) ? [] : [[root, edgesFrom(leaving, root)]];
    met.add(root);
    for (let last = way.at(-1); last; last = way.at(-1)) {
      const [vertex, left] = last;
      const next = left.next();
      if (next.done) {
        done.add(vertex);
        way.pop();
      } else if (!met.has(next.value.to)) {
        met.add(next.value.to);
        way.push([next.value.to, edgesFrom(leaving, next.value.to)]);
      } else {
        next.value.upwards = !done.has(next.value.to);
      }
    }
  }
}

/**
 * @param {Map<Vertex, Edge[]>} leaving
 * @param {Vertex} vertex
 */
const edgesFrom = (leaving, vertex) => (leaving.get(vertex) ?? [])[Symbol.iterator]();

/**
 * List the edges that leave each vertex.
 * @param {readonly Edge[]} edges
 */
function outgoing(edges) {
  /** @type {Map<Vertex, Edge[]>} */
  const leaving = new Map();
  for (const edge of edges) {
    const others = leaving.get(edge.from);
    if (others) others.push(edge);
    else leaving.set(edge.from, [edge]);
  }
  return leaving;
}
