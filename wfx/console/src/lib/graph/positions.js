/**
 * Places of vertices from left to right: near to their neighbours, and never on top of each other.
 */
import { left, right } from "./vertex.js";

/** @typedef {import("./vertex.js").Vertex} Vertex */

/** Passes, down and up in turn. */
const PASSES = 16;
/** Between neighbours in a row. */
const GAP = 18;
/** Weight of a link within an edge, which should be straight; one between two boxes weighs 1. */
const STRAIGHT = 8;
/** Weight of a link between a box and a long edge, so that boxes stand below each other where they can. */
const LIGHT = 0.05;
/** Weight of a vertex without links. */
const LOOSE = 0.001;

/**
 * Where a vertex would like to be, and how much.
 * @typedef {{wanted: number, weight: number}} Wish
 */

/**
 * Place the vertices of all rows.
 * @param {readonly Vertex[][]} rows
 */
export function place(rows) {
  rows.forEach((row) => put(row, () => ({ wanted: 0, weight: 1 })));
  const upwards = [...rows].reverse();
  for (let pass = 0; pass < PASSES; pass++) {
    if (pass % 2) upwards.forEach((row) => put(row, (one) => wish(one, true)));
    else rows.forEach((row) => put(row, (one) => wish(one, false)));
  }
  sideBySide(rows.flat());
}

/**
 * Place the vertices of one row.
 * @param {readonly Vertex[]} row
 * @param {(one: Vertex) => Wish} wishOf
 */
function put(row, wishOf) {
  const places = spread(row.map(wishOf), offsetsOf(row));
  for (const one of row) one.x = places.next().value ?? 0;
}

/**
 * Return how far the vertices of a row are from the first one at least.
 * @param {readonly Vertex[]} row
 */
function offsetsOf(row) {
  let reached = 0;
  return row.map((one, at) => {
    const offset = at ? reached + GAP + left(one) : 0;
    reached = offset + right(one);
    return offset;
  });
}

/**
 * Return where a vertex would like to be: in the middle of its neighbours.
 * @param {Vertex} one
 * @param {boolean} upwards whether those below count, or those above
 * @returns {Wish}
 */
function wish(one, upwards) {
  let [sum, weight] = [0, 0];
  for (const link of upwards ? one.below : one.above) {
    const other = upwards ? link.lower : link.upper;
    const of = one.within !== other.within ? LIGHT : one.within ? STRAIGHT : 1;
    sum += other.x * of;
    weight += of;
  }
  return weight ? { wanted: sum / weight, weight } : { wanted: one.x, weight: LOOSE };
}

/**
 * Return the places nearest to those wanted (least squares) that are apart from each other as the offsets are, or more.
 *
 * Without the offsets this is isotonic regression, which pooling adjacent violators solves exactly, in one pass.
 * @param {readonly Wish[]} wishes
 * @param {readonly number[]} offsets
 * @returns {Generator<number, undefined>}
 */
export function* spread(wishes, offsets) {
  /** @type {{middle: number, weight: number, many: number}[]} */
  const pools = [];
  wishes.forEach(({ wanted, weight }, at) => {
    let pool = { middle: wanted - (offsets[at] ?? 0), weight, many: 1 };
    for (let before = pools.at(-1); before && before.middle >= pool.middle; before = pools.at(-1)) {
      pools.pop();
      const both = before.weight + pool.weight;
      const middle = (before.middle * before.weight + pool.middle * pool.weight) / both;
      pool = { middle, weight: both, many: before.many + pool.many };
    }
    pools.push(pool);
  });
  let at = 0;
  for (const { middle, many } of pools) {
    for (const end = at + many; at < end; at++) yield middle + (offsets[at] ?? 0);
  }
}

/**
 * Move the connected components of the graph next to each other, from 0 on.
 * @param {readonly Vertex[]} vertices
 */
function sideBySide(vertices) {
  /** @type {Vertex[][]} */
  const components = [];
  for (const one of vertices) (components[one.component] ??= []).push(one);
  let reached = 0;
  for (const members of components) {
    const least = members.reduce((most, one) => Math.min(most, one.x - left(one)), Infinity);
    const most = members.reduce((reach, one) => Math.max(reach, one.x + right(one)), -Infinity);
    for (const one of members) one.x += reached - least;
    reached += most - least + 2 * GAP;
  }
}
