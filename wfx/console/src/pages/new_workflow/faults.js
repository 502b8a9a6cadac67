// What the service says is wrong with a workflow, and where that is in the document.

/** @typedef {import("./source.js").Place} Place */
/** @typedef {{ message: string, place: Place }} Said */

/**
 * Reads the answer that refused a workflow. A message names states and groups as they are in the document; if it comes
 * several times, it is about one such place after the other.
 * @param {{ message: string, data?: any }} error @param {any} workflow what was sent @returns {Said[]}
 */
export function saidBy(error, workflow) {
  const errors = Array.isArray(error.data?.errors) ? error.data.errors : [];
  const messages = errors.length > 0 ? errors.map((/** @type {any} */ each) => String(each.message)) : [error.message];
  /** @type {Map<string, number>} */
  const times = new Map();
  return messages.map((/** @type {string} */ message) => {
    const time = times.get(message) ?? 0;
    times.set(message, time + 1);
    const places = placesOf(message, workflow);
    return { message, place: places[Math.min(time, places.length - 1)] ?? [] };
  });
}

/** @typedef {(found: string[], workflow: any) => Place[]} Finder */
/** @type {readonly [RegExp, Finder][]} */
const MESSAGES = [
  [/^the body at (\/\S*?):/, ([pointer = ""]) => [placeOf(pointer)]],
  [/^transition '(.*)' -> '(.*)' has an unknown state '(.*)'$/s, ([from, to, unknown], { transitions }) =>
    between(transitions, from, to).map((at) => ["transitions", at, unknown === from && unknown !== to ? "from" : "to"])],
  [/^duplicate transition '(.*)' -> '(.*)' for eligible '(.*)'$/s, ([from, to, eligible], { transitions }) =>
    steps(between(transitions, from, to).filter((at) => transitions[at]?.eligible === eligible).slice(1))],
  [/^impossible transition '(.*)' -> '(.*)': '/s, ([from, to], { transitions }) =>
    steps(between(transitions, from, to).filter((at) => transitions[at]?.action !== "IMMEDIATE"))],
  [/^immediate transition '(.*)' -> '(.*)' leads back/s, ([from, to], { transitions }) => steps(between(transitions, from, to))],
  [/^more than one immediate action from state '(.*)'$/s, ([state], { transitions }) =>
    steps(where(transitions, (each) => each?.from === state && each?.action === "IMMEDIATE").slice(1))],
  [/^cycle from '(.*)' to '(.*)', from where /s, ([first, last], { transitions }) => steps(between(transitions, last, first))],
  [/^state '(.*)' exists already/s, ([name], { states }) => named("states", states, name).slice(1)],
  [/^state '(.*)' is in more than one group: /s, ([name], { groups }) => inGroups(groups, name).slice(1)],
  [/^group name '(.*)' is used several times$/s, ([name], { groups }) => named("groups", groups, name).slice(1)],
  [/^there must be exactly one INITIAL state, but no other state leads to '.*' nor to '(.*)'$/s, ([name], { states }) =>
    named("states", states, name)],
];

/** Finds what a message is about; nothing if that is not known. @param {string} message @param {any} workflow @returns {Place[]} */
function placesOf(message, workflow) {
  for (const [pattern, find] of MESSAGES) {
    const found = pattern.exec(message);
    if (found) return find(found.slice(1), lists(workflow));
  }
  return [];
}

/** @param {any} workflow */
function lists(workflow) {
  const list = (/** @type {unknown} */ given) => (Array.isArray(given) ? given : []);
  return { states: list(workflow?.states), transitions: list(workflow?.transitions), groups: list(workflow?.groups) };
}

/** A JSON Pointer as a place. @param {string} pointer @returns {Place} */
const placeOf = (pointer) => pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

/** @param {any[]} list @param {(each: any) => boolean} holds @returns {number[]} */
const where = (list, holds) => list.flatMap((each, at) => (holds(each) ? [at] : []));

/** @param {any[]} transitions @param {string | undefined} from @param {string | undefined} to */
const between = (transitions, from, to) => where(transitions, (each) => each?.from === from && each?.to === to);

/** @param {number[]} numbers @returns {Place[]} */
const steps = (numbers) => numbers.map((at) => ["transitions", at]);

/** @param {string} member @param {any[]} list @param {string | undefined} name @returns {Place[]} */
const named = (member, list, name) => where(list, (each) => each?.name === name).map((at) => [member, at, "name"]);

/** @param {any[]} groups @param {string | undefined} state @returns {Place[]} */
const inGroups = (groups, state) =>
  groups.flatMap((group, number) => where(Array.isArray(group?.states) ? group.states : [], (each) => each === state)
    .map((at) => /** @type {Place} */ (["groups", number, "states", at])));
