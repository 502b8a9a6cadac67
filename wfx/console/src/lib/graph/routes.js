/**
 * Routes of links: where rows are, where links meet the boxes, and the smooth paths between.
 */

/** @typedef {import("./vertex.js").Vertex} Vertex */
/** @typedef {import("./vertex.js").Link} Link */

const NEAREST = 22;
const FARTHEST = 90;
/** How much farther apart rows are, the farther to the side links between them go. */
const SLOPE = 0.12;
/** Between two links at one side of a box. */
const PORT = 16;
/** Part of a side where links begin and end. */
const PORTS = 0.7;

/**
 * Where a row begins and ends.
 * @typedef {{top: number, bottom: number}} Row
 */

/**
 * The way of a link, the rectangle around it, and whether it ends at a box.
 * @typedef {{path: string, left: number, right: number, top: number, bottom: number, arrow: boolean}} Route
 */

/**
 * Place rows below each other, and vertices in their middle.
 * @param {readonly (readonly Vertex[])[]} rows
 * @returns {Row[]}
 */
export function placeRows(rows) {
  let top = 0;
  return rows.map((row) => {
    let [height, aside] = [0, 0];
    for (const one of row) {
      height = Math.max(height, one.height);
      for (const { lower } of one.below) aside = Math.max(aside, Math.abs(one.x - lower.x));
    }
    for (const one of row) one.y = top + height / 2;
    const place = { top, bottom: top + height };
    top += height + Math.min(FARTHEST, NEAREST + SLOPE * aside);
    return place;
  });
}

/**
 * Spread the links of a vertex over its upper and its lower side, in the order of their other ends.
 * @param {Vertex} one
 */
export function placePorts(one) {
  ports(one, one.below, (link) => link.lower).forEach((x, link) => (link.leave = x));
  ports(one, one.above, (link) => link.upper).forEach((x, link) => (link.enter = x));
}

/**
 * @param {Vertex} one
 * @param {readonly Link[]} links
 * @param {(link: Link) => Vertex} other
 */
function ports(one, links, other) {
  const step = links.length > 1 ? Math.min(PORT, (one.width * PORTS) / (links.length - 1)) : 0;
  const sorted = [...links].sort((left, right) => other(left).x - other(right).x);
  return new Map(sorted.map((link, at) => [link, one.x + step * (at - (links.length - 1) / 2)]));
}

/**
 * Find the way of a link.
 * @param {Link} link
 * @param {readonly Row[]} rows
 * @returns {Route}
 */
export function route({ upper, lower, upwards, leave, enter }, rows) {
  const [from, to] = [rows[upper.rank] ?? { top: 0, bottom: 0 }, rows[lower.rank] ?? { top: 0, bottom: 0 }];
  const top = upper.within ? from.top : upper.y + upper.height / 2;
  const bottom = lower.within ? to.top : lower.y - lower.height / 2;
  const path = upwards
    ? drawn(enter, [bottom, to.top, from.bottom, top], leave)
    : drawn(leave, [top, from.bottom, to.top, bottom], enter);
  const [left, right] = [Math.min(leave, enter), Math.max(leave, enter)];
  return { path, left, right, top, bottom, arrow: !(upwards ? upper : lower).within };
}

/**
 * Draw an upright line, a curve that is upright at its ends, and another upright line.
 * @param {number} x
 * @param {[number, number, number, number]} heights where the lines begin and end
 * @param {number} end
 */
function drawn(x, [first, second, third, fourth], end) {
  const [from, to, half] = [x.toFixed(1), end.toFixed(1), ((second + third) / 2).toFixed(1)];
  const start = `M${from},${first.toFixed(1)}`;
  if (from === to) return `${start} V${fourth.toFixed(1)}`;
  const curve = `C${from},${half} ${to},${half} ${to},${third.toFixed(1)}`;
  return `${start}${upright(first, second)} ${curve}${upright(third, fourth)}`;
}

/**
 * Draw an upright line, if it has a length: an arrow at the end of one without would point anywhere.
 * @param {number} from
 * @param {number} to
 */
const upright = (from, to) => (Math.abs(to - from) < 0.05 ? "" : ` V${to.toFixed(1)}`);

/**
 * Draw a loop at the right side of a box.
 * @param {Vertex} one
 */
export function loop({ x, y, width, reach }) {
  const right = x + width / 2;
  const out = (right + reach).toFixed(1);
  const at = (/** @type {number} */ aside) => (y + aside).toFixed(1);
  return `M${right.toFixed(1)},${at(-6)} C${out},${at(-14)} ${out},${at(14)} ${right.toFixed(1)},${at(6)}`;
}
