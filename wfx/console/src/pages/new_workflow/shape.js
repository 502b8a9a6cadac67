// Whether a document that is being written has enough of a workflow to be drawn.

/** @typedef {import("../../lib/graph/model.js").Workflow} Workflow */

/** What can be drawn of a document; nothing if its parts are not what they have to be. @param {any} value @returns {Workflow | undefined} */
export function drawable(value) {
  const isText = (/** @type {unknown} */ each) => typeof each === "string";
  const states = value?.states;
  const transitions = value?.transitions ?? [];
  const groups = value?.groups ?? [];
  if (!Array.isArray(states) || !Array.isArray(transitions) || !Array.isArray(groups) || states.length === 0) return undefined;
  if (!states.every((each) => isText(each?.name))) return undefined;
  if (!transitions.every((each) => isText(each?.from) && isText(each?.to) && isText(each?.eligible))) return undefined;
  if (!groups.every((each) => isText(each?.name) && Array.isArray(each?.states) && each.states.every(isText))) return undefined;
  const text = (/** @type {any} */ each) => (isText(each?.description) ? { description: each.description } : {});
  return {
    name: isText(value.name) ? value.name : "",
    states: states.map((each) => ({ name: each.name, ...text(each) })),
    transitions: transitions.map((each) => ({
      from: each.from, to: each.to, eligible: each.eligible, ...text(each), ...(isText(each.action) && { action: each.action }),
    })),
    groups: groups.map((each) => ({ name: each.name, states: each.states })),
  };
}
