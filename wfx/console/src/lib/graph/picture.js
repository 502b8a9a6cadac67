/**
 * Picture of a workflow: its model, laid out, and what is drawn of it for a part that is seen.
 */
import { meet } from "./camera.js";
import { layout } from "./layout.js";
import { modelOf } from "./model.js";
import { stepsBetween } from "./path.js";

/** @typedef {import("./model.js").Workflow} Workflow */
/** @typedef {import("./model.js").Node} Node */
/** @typedef {import("./layout.js").Box} Box */
/** @typedef {import("./camera.js").Rect} Rect */

/** A node and where it is. @typedef {{node: Node, box: Box, rect: Rect}} Place */

/**
 * A line, and what is known of it: `about` says which transitions begin there, `manual` that nobody but operators and
 * the server takes them.
 * @typedef {{line: import("./layout.js").Route, about: string, manual: boolean}} Stroke
 */

/**
 * @typedef {object} Picture
 * @property {number} width
 * @property {number} height
 * @property {Place[]} places
 * @property {Stroke[]} strokes
 * @property {number} left transitions that are too long to draw
 * @property {(steps: readonly [string, string][]) => Set<import("./layout.js").Route>} linesOf what steps pass
 */

/** From so many nodes or lines on, only what is seen is drawn. */
export const MANY = 500;
/** From so many on that are seen, they are drawn without texts, as one shape. */
export const CROWD = 1500;

/**
 * Lay out a workflow.
 * @param {Workflow} workflow
 * @param {1 | 2} lines of text in the box of a state
 * @returns {Picture}
 */
export function pictureOf(workflow, lines) {
  const { nodes, edges } = modelOf(workflow, lines);
  const boxes = nodes.map(({ width, height, loops }) => ({ width, height, loops: loops.length > 0 }));
  const placed = layout({ boxes, edges });
  const about = new Map(edges.map((edge, at) => [placed.firstLineOf(at), edge]));
  about.delete(undefined);
  const strokes = placed.lines.map((line) => {
    const transitions = about.get(line)?.transitions ?? [];
    return { line, about: transitions.map(wordsOf).join("\n"), manual: onlyManual(transitions) };
  });
  const numbers = new Map(edges.map(({ from, to }, at) => [key(nodes[from]?.name, nodes[to]?.name), at]));
  return {
    width: placed.width,
    height: placed.height,
    places: nodes.flatMap((node, at) => {
      const box = placed.boxes[at];
      return box ? [{ node, box, rect: rectOf(box) }] : [];
    }),
    strokes,
    left: edges.reduce((sum, _, at) => sum + (placed.firstLineOf(at) ? 0 : 1), 0),
    linesOf: (steps) => new Set(steps.flatMap(([from, to]) => placed.linesOf(numbers.get(key(from, to)) ?? -1))),
  };
}

/** @param {string | undefined} from @param {string | undefined} to */
const key = (from, to) => JSON.stringify([from, to]);

/** @param {Box} box @returns {Rect} */
const rectOf = ({ x, y, width, height, loop }) => ({
  left: x - width / 2, top: y - height / 2, right: x + width / 2 + (loop ? 24 : 0), bottom: y + height / 2,
});

/** @param {readonly import("./model.js").Transition[]} transitions */
const onlyManual = (transitions) => transitions.length > 0 && transitions.every(({ eligible }) => eligible === "WFX");

/** Say where a transition leads and whose it is. @param {import("./model.js").Transition} transition */
export function wordsOf({ from, to, eligible, action, description }) {
  return `${from} → ${to}: ${eligible}${action ? ` ${action}` : ""}${description ? `\n${description}` : ""}`;
}

/**
 * Find what the path of a job passes; null if there is none to show.
 * @param {Picture} picture
 * @param {Workflow} workflow
 * @param {readonly string[] | undefined} taken
 */
export function passed(picture, workflow, taken) {
  if (!taken) return null;
  const steps = stepsBetween(workflow, taken);
  const [begin, end] = [steps[0]?.[0] ?? taken[0] ?? "", taken.at(-1) ?? ""];
  // The marks of begin and end have no names; edges to them that there are not have no lines.
  return { states: new Set([...taken, ...steps.flat()]), lines: picture.linesOf([["", begin], ...steps, [end, ""]]) };
}

/**
 * Choose what is drawn: all of a small picture, otherwise what is seen.
 * @param {Picture} picture
 * @param {Rect} seen
 */
export function drawnOf({ places, strokes }, seen) {
  if (places.length <= MANY && strokes.length <= 2 * MANY) return { places, strokes };
  return {
    places: places.filter(({ rect }) => meet(rect, seen)),
    strokes: strokes.filter(({ line }) => meet(line, seen)),
  };
}

/** Draw many lines as one path. @param {readonly Stroke[]} strokes */
export const crowdOfStrokes = (strokes) => strokes.map(({ line }) => line.path).join("");

/** Draw many boxes as one path. @param {readonly Place[]} places */
export const crowdOfPlaces = (places) =>
  places.map(({ box: { x, y, width, height } }) =>
    `M${(x - width / 2).toFixed(0)},${(y - height / 2).toFixed(0)}h${width.toFixed(0)}v${height.toFixed(0)}h${(-width).toFixed(0)}z`,
  ).join("");
