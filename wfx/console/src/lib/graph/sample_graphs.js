/**
 * Graphs that the tests lay out.
 */

/** @typedef {import("./layout.js").Graph} Graph */

/**
 * Make numbers from 0 to 1, the same each time.
 * @param {number} seed
 */
function numbers(seed) {
  let last = seed;
  return () => (last = (last * 48271) % 2147483647) / 2147483647;
}

/**
 * Make a graph of boxes of different sizes. `far` bounds how far edges lead; below 0 they may lead back.
 * @param {number} count
 * @param {number} edges
 * @param {{seed?: number, far?: number, back?: boolean}} [how]
 * @returns {Graph}
 */
export function made(count, edges, { seed = 1, far = count, back = false } = {}) {
  const next = numbers(seed);
  const boxes = Array.from({ length: count }, () => ({
    width: 20 + Math.floor(200 * next()), height: 18 + Math.floor(40 * next()), loops: next() < 0.2,
  }));
  /** @type {Map<number, {from: number, to: number}>} */
  const found = new Map();
  for (let tries = 0; tries < 20 * edges && found.size < edges; tries++) {
    const from = Math.floor(count * next());
    const to = from + 1 + Math.floor(far * next());
    const edge = back && next() < 0.3 ? { from: to, to: from } : { from, to };
    if (to < count) found.set(edge.from * count + edge.to, edge);
  }
  return { boxes, edges: [...found.values()] };
}

/** A path of states, each of which also leads to the last one. @param {number} count @returns {Graph} */
export const chain = (count) => ({
  boxes: Array.from({ length: count }, () => ({ width: 80, height: 46, loops: true })),
  edges: Array.from({ length: count - 2 }, (_, from) => [{ from, to: from + 1 }, { from, to: count - 1 }]).flat(),
});
