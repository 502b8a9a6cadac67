/**
 * Model of a workflow's graph: nodes for its states and for begin and end, and edges for its transitions. The workflow
 * need not make sense, so that one that is being written can be shown.
 */
import { visible } from "../format.js";
import { shortened, width } from "./lettering.js";

/** @typedef {import("../workflows.js").Workflow} Workflow */
/** @typedef {NonNullable<Workflow["transitions"]>[number]} Transition */

/**
 * A state, or the mark of begin or end.
 * @typedef {object} Node
 * @property {"state" | "start" | "end"} kind
 * @property {string} name empty for marks
 * @property {string} shown the name as far as there is room
 * @property {string} description
 * @property {string} group empty if it is in none
 * @property {Transition[]} loops transitions to itself
 * @property {number} width
 * @property {number} height
 */

/** @typedef {{from: number, to: number, transitions: Transition[]}} Edge all transitions from one state to another */
/** @typedef {{nodes: Node[], edges: Edge[]}} Model */

export const NAME_SIZE = 13;
const PADDING = 10;
const LONGEST = 220;
const NARROWEST = 72;
const ICON = 20;
const LINES = { 1: 30, 2: 46 };
const MARK = 18;

/**
 * Make the model.
 * @param {Workflow} workflow
 * @param {1 | 2} lines how many lines a box has
 * @returns {Model}
 */
export function modelOf(workflow, lines) {
  const groups = groupsOf(workflow);
  /** @type {Map<string, number>} */
  const numbers = new Map();
  /** @type {Node[]} */
  const nodes = [];
  const number = (/** @type {string} */ name, description = "") => {
    const known = numbers.get(name) ?? nodes.length;
    if (known === nodes.length) nodes.push(stateNode(name, description, groups.get(name) ?? "", lines));
    numbers.set(name, known);
    return known;
  };
  for (const state of workflow.states) number(state.name, state.description);
  /** @type {Map<string, Edge>} */
  const edges = new Map();
  for (const transition of workflow.transitions ?? []) {
    const [from, to] = [number(transition.from), number(transition.to)];
    if (from === to) nodes[from]?.loops.push(transition);
    else {
      const edge = edges.get(`${from} ${to}`) ?? { from, to, transitions: [] };
      edges.set(`${from} ${to}`, edge);
      edge.transitions.push(transition);
    }
  }
  return withMarks(nodes, [...edges.values()]);
}

/** The group of each state that is in one: the first that lists it. @param {Workflow} workflow */
function groupsOf(workflow) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const group of workflow.groups ?? []) {
    for (const state of group.states ?? []) if (!found.has(state)) found.set(state, group.name);
  }
  return found;
}

/**
 * @param {string} name
 * @param {string} description
 * @param {string} group
 * @param {1 | 2} lines
 * @returns {Node}
 */
function stateNode(name, description, group, lines) {
  const shown = visible(shortened(name, LONGEST, NAME_SIZE, { bold: true }));
  const wide = Math.max(NARROWEST, width(shown, NAME_SIZE, { bold: true }) + ICON + 2 * PADDING);
  return { kind: "state", name, shown, description, group, loops: [], width: wide, height: LINES[lines] };
}

/**
 * Add the marks of begin and end. Begin is the first node, and has the first edge.
 * @param {readonly Node[]} states
 * @param {readonly Edge[]} edges
 * @returns {Model}
 */
function withMarks(states, edges) {
  const entered = new Set(edges.map((edge) => edge.to));
  const left = new Set(edges.map((edge) => edge.from));
  const initial = states.findIndex((_, at) => !entered.has(at));
  /** @type {Node[]} */
  const nodes = initial < 0 ? [...states] : [mark("start"), ...states];
  const before = nodes.length - states.length;
  const moved = edges.map(({ from, to, transitions }) => ({ from: from + before, to: to + before, transitions }));
  if (before) moved.unshift({ from: 0, to: initial + 1, transitions: [] });
  states.forEach((_, at) => {
    if (left.has(at)) return;
    moved.push({ from: at + before, to: nodes.length, transitions: [] });
    nodes.push(mark("end"));
  });
  return { nodes, edges: moved };
}

/**
 * @param {"start" | "end"} kind
 * @returns {Node}
 */
function mark(kind) {
  return { kind, name: "", shown: "", description: "", group: "", loops: [], width: MARK, height: MARK };
}
