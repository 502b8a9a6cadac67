/**
 * What a graph is laid out of: vertices (boxes, and the places where long edges pass a rank), and links between them.
 */

/**
 * A box, or the place of an edge in a rank that it passes.
 * @typedef {object} Vertex
 * @property {number} width 0 within edges
 * @property {number} height
 * @property {number} reach how far a loop goes out of its right side
 * @property {boolean} within whether it belongs to edges
 * @property {number} rank
 * @property {number} place from the left within its rank
 * @property {number} mean the place of its neighbours, on average
 * @property {number} component of the connected components
 * @property {number} x its middle
 * @property {number} y its middle
 * @property {Link[]} above
 * @property {Link[]} below
 */

/**
 * A line from one rank to the next.
 * @typedef {object} Link
 * @property {Vertex} upper
 * @property {Vertex} lower
 * @property {boolean} upwards whether it leads to the upper one
 * @property {number} leave where it meets the upper one, from the left
 * @property {number} enter where it meets the lower one, from the left
 */

/**
 * An edge between two different vertices.
 * @typedef {object} Edge
 * @property {Vertex} from
 * @property {Vertex} to
 * @property {boolean} upwards whether it had to be turned round, to break a cycle
 * @property {Link | null} first at its upper end; null if it is too long to draw
 */

/** Room for the stroke of an edge, to both sides. */
const STROKE = 2;

/**
 * Make a vertex.
 * @param {{width: number, height: number, reach?: number, rank?: number, within?: boolean}} given
 * @returns {Vertex}
 */
export function vertex({ width, height, reach = 0, rank = 0, within = false }) {
  return { width, height, reach, within, rank, place: 0, mean: 0, component: -1, x: 0, y: 0, above: [], below: [] };
}

/**
 * Connect two vertices.
 * @param {Vertex} upper
 * @param {Vertex} lower
 * @param {boolean} upwards
 * @returns {Link}
 */
export function connect(upper, lower, upwards) {
  const link = { upper, lower, upwards, leave: 0, enter: 0 };
  upper.below.push(link);
  lower.above.push(link);
  return link;
}

/** @param {Vertex} vertex */
export const left = (vertex) => vertex.width / 2 + (vertex.within ? STROKE : 0);
/** @param {Vertex} vertex */
export const right = (vertex) => left(vertex) + vertex.reach;

/** @param {Edge} edge */
export const upperEnd = (edge) => (edge.upwards ? edge.to : edge.from);
/** @param {Edge} edge */
export const lowerEnd = (edge) => (edge.upwards ? edge.from : edge.to);

/**
 * List the links that an edge consists of, from above; none if it is too long to draw.
 * @param {Edge} edge
 * @returns {Link[]}
 */
export function linksOf(edge) {
  const found = [];
  for (let link = edge.first ?? undefined; link; link = link.lower.within ? link.lower.below[0] : undefined) {
    found.push(link);
  }
  return found;
}
