// How a group or a state looks: an icon, a word and a colour, the same everywhere.

import { titled } from "./format.js";
import { html } from "./html.js";
import { Short } from "./text.js";

/** @typedef {{ icon: string, tone: string }} Look */

/** @type {Record<string, Look>} */
const KNOWN = {
  OPEN: { icon: "◔", tone: "open" },
  CLOSED: { icon: "✔", tone: "closed" },
  FAILED: { icon: "✖", tone: "failed" },
};
/** What lists of jobs call the group of states that are in none. */
export const NO_GROUP = "(none)";
const NONE = { icon: "○", tone: "none" };
const OTHERS = ["◆", "▲", "■", "⬟", "★", "⬢"].map((icon, index) => ({ icon, tone: `other${index}` }));

/** The look of a group; one that is not known gets the same one each time. @param {string} group */
export function lookOf(group) {
  if (!group || group === NO_GROUP) return NONE;
  const known = Object.hasOwn(KNOWN, group) ? KNOWN[group] : undefined;
  if (known) return known;
  let sum = 0;
  for (const character of group) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return OTHERS[sum % OTHERS.length] ?? NONE;
}

/** A state with the look of its group. @param {{ group: string, state: string }} props */
export function Status({ group, state }) {
  const look = lookOf(group);
  return html`<span class="status tone-${look.tone}" title=${titled(group)}>
    <span class="icon" aria-hidden="true">${look.icon}</span><${Short} text=${state} />
  </span>`;
}

/** How far the work is. @param {{ percent?: number | undefined }} props */
export function Progress({ percent }) {
  if (percent === undefined) return null;
  const shown = Math.min(100, Math.max(0, percent));
  return html`<span class="progress"><span class="number">${percent} %</span><progress max="100" value=${shown} aria-label="progress"></progress></span>`;
}
