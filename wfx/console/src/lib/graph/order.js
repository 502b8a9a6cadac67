/**
 * Order of vertices within their ranks: few crossings, by a bounded number of sweeps to barycentres.
 */

/** @typedef {import("./vertex.js").Vertex} Vertex */

/** Sweeps, down and up in turn. */
const SWEEPS = 12;

/**
 * Return the vertices of each rank from left to right, one connected component beside the other.
 * @param {readonly Vertex[]} vertices
 * @returns {Vertex[][]}
 */
export function order(vertices) {
  let rows = asFound(vertices);
  let best = rows;
  let fewest = crossings(rows);
  for (let sweep = 0; sweep < SWEEPS && fewest; sweep++) {
    rows = sweep % 2 ? sweptUp(rows) : sweptDown(rows);
    const crossed = crossings(rows);
    if (crossed < fewest) [best, fewest] = [rows, crossed];
  }
  best.forEach((row) => row.sort((one, other) => one.component - other.component));
  return best;
}

/**
 * Fill the rows as a walk finds the vertices: depth first, from above. Numbers the components before.
 * @param {readonly Vertex[]} vertices
 */
function asFound(vertices) {
  findComponents(vertices);
  const ranked = [...vertices].sort((one, other) => one.rank - other.rank);
  /** @type {Vertex[][]} */
  const rows = Array.from({ length: (ranked.at(-1)?.rank ?? -1) + 1 }, () => []);
  const met = new Set();
  for (const start of ranked) {
    const waiting = [start];
    for (let one = waiting.pop(); one; one = waiting.pop()) {
      if (met.has(one)) continue;
      met.add(one);
      rows[one.rank]?.push(one);
      waiting.push(...one.below.map((link) => link.lower).reverse());
    }
  }
  return rows;
}

/**
 * Number the connected components, from 0 on.
 * @param {readonly Vertex[]} vertices
 */
function findComponents(vertices) {
  let number = 0;
  for (const start of vertices) {
    if (start.component >= 0) continue;
    const waiting = [start];
    start.component = number++;
    for (const one of waiting) { // which grows
      for (const other of [...one.above.map((link) => link.upper), ...one.below.map((link) => link.lower)]) {
        if (other.component >= 0) continue;
        other.component = start.component;
        waiting.push(other);
      }
    }
  }
}

/** @param {readonly Vertex[][]} rows */
const sweptDown = (rows) => rows.map((row) => arranged(row, false));

/** @param {readonly Vertex[][]} rows */
const sweptUp = (rows) => [...rows].reverse().map((row) => arranged(row, true)).reverse();

/**
 * Put each vertex of a row where its neighbours in the row before are on average.
 * @param {readonly Vertex[]} row
 * @param {boolean} upwards whether that row is the one below
 */
function arranged(row, upwards) {
  row.forEach((one, place) => {
    let sum = 0;
    const links = upwards ? one.below : one.above;
    for (const link of links) sum += (upwards ? link.lower : link.upper).place;
    one.mean = links.length ? sum / links.length : place;
  });
  const sorted = [...row].sort((one, other) => one.mean - other.mean);
  number(sorted);
  return sorted;
}

/** @param {readonly Vertex[]} row */
const number = (row) => row.forEach((one, place) => (one.place = place));

/**
 * Count how often links cross: for each rank, the pairs of links whose ends are in the other order.
 * @param {readonly Vertex[][]} rows
 */
function crossings(rows) {
  rows.forEach(number);
  return rows.reduce((sum, row, rank) => sum + crossingsBelow(row, rows[rank + 1]?.length ?? 0), 0);
}

/**
 * Count the crossings between a row and the next, by sums over a binary indexed tree.
 * @param {readonly Vertex[]} row
 * @param {number} size of the next row
 */
function crossingsBelow(row, size) {
  const tree = new Uint32Array(size + 1);
  let [crossed, passed] = [0, 0];
  for (const one of row) {
    for (const { lower } of one.below) {
      crossed += passed;
      for (let at = lower.place + 1; at; at -= at & -at) crossed -= tree[at] ?? 0;
    }
    for (const { lower } of one.below) {
      for (let at = lower.place + 1; at <= size; at += at & -at) tree[at] = (tree[at] ?? 0) + 1;
    }
    passed += one.below.length;
  }
  return crossed;
}
