/**
 * Path of a job through its workflow: by which transitions it has come from state to state.
 */

/** @typedef {import("./model.js").Workflow} Workflow */

/**
 * List the steps between states in this order, as pairs. Where no transition leads from one to the next, the server has
 * gone on from a state in between at once, which history does not name.
 * @param {Workflow} workflow
 * @param {readonly string[]} states
 * @returns {[string, string][]}
 */
export function stepsBetween(workflow, states) {
  const { leaving, immediate } = transitionsOf(workflow);
  const entered = new Set((workflow.transitions ?? []).filter(({ from, to }) => from !== to).map(({ to }) => to));
  const initial = workflow.states.find(({ name }) => !entered.has(name))?.name;
  const [first] = states;
  /** @type {[string, string][]} */
  const steps = first !== undefined && initial !== undefined ? through(initial, first, immediate) : [];
  states.slice(1).forEach((state, at) => {
    const before = states[at] ?? "";
    const next = leaving.get(before) ?? [];
    if (next.includes(state)) return steps.push([before, state]);
    const found = next.find((one) => through(one, state, immediate).length);
    if (found !== undefined) steps.push([before, found], ...through(found, state, immediate));
    return 0;
  });
  return steps;
}

/**
 * List where transitions lead, by the state that they leave.
 * @param {Workflow} workflow
 */
function transitionsOf(workflow) {
  /** @type {Map<string, string[]>} */
  const leaving = new Map();
  /** @type {Map<string, string>} */
  const immediate = new Map();
  for (const { from, to, action } of workflow.transitions ?? []) {
    const others = leaving.get(from);
    if (others) others.push(to);
    else leaving.set(from, [to]);
    if (action === "IMMEDIATE") immediate.set(from, to);
  }
  return { leaving, immediate };
}

/**
 * List the steps that the server takes at once from one state to another; none if it does not get there.
 * @param {string} from
 * @param {string} to
 * @param {Map<string, string>} immediate
 */
function through(from, to, immediate) {
  /** @type {[string, string][]} */
  const steps = [];
  for (let at = from; at !== to; ) {
    const next = immediate.get(at);
    if (next === undefined || steps.length > immediate.size) return [];
    steps.push([at, next]);
    at = next;
  }
  return steps;
}
