/**
 * Parts of a graph as elements: lines, states, and the marks of begin and end.
 */
import { titled } from "../format.js";
import { html } from "../html.js";
import { href, navigate } from "../router.js";
import { lookOf } from "../status.js";
import { NAME_SIZE } from "./model.js";
import { CROWD, crowdOfPlaces, crowdOfStrokes, wordsOf } from "./picture.js";

/** @typedef {import("./picture.js").Place} Place */
/** @typedef {import("./picture.js").Stroke} Stroke */

/** The arrows at the ends of lines, in the colours that lines have. */
export function Arrows() {
  return html`<defs>
    ${["", "-taken", "-untaken"].map((kind) => html`<marker key=${kind} id=${`arrow${kind}`} class=${`arrow${kind}`} viewBox="0 0 10 10"
      refX="9" refY="5" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0,1 L10,5 L0,9 z" /></marker>`)}
  </defs>`;
}

/**
 * Lines. With a path taken, those that it passes are bold and the others grey.
 * @param {{strokes: readonly Stroke[], taken: ReadonlySet<unknown> | undefined}} props
 */
export function Lines({ strokes, taken }) {
  const kindOf = (/** @type {Stroke} */ { line }) => (taken ? (taken.has(line) ? "-taken" : "-untaken") : "");
  if (strokes.length > CROWD) {
    const bold = strokes.filter(({ line }) => taken?.has(line));
    return html`<path class=${`edge ${taken ? "edge-untaken" : ""}`} d=${crowdOfStrokes(strokes)} />
      <path class="edge edge-taken" d=${crowdOfStrokes(bold)} />`;
  }
  return strokes.map((stroke) => {
    const kind = kindOf(stroke);
    return html`<path key=${stroke.line} class=${`edge edge${kind} ${stroke.manual ? "manual" : ""}`} d=${stroke.line.path}
      marker-end=${stroke.line.arrow ? `url(#arrow${kind})` : undefined}>
      ${stroke.about && html`<title>${titled(stroke.about)}</title>`}
    </path>`;
  });
}

/**
 * @typedef {object} Shown
 * @property {string} [present] the state that the job is in
 * @property {ReadonlySet<string>} [taken] the states that it has been in
 * @property {ReadonlyMap<string, string>} [notes] what stands below the name of a state
 * @property {(state: string) => string} [linkOf] where a state leads, below the console; empty for nowhere
 */

/**
 * States and marks.
 * @param {{places: readonly Place[], shown: Shown}} props
 */
export function Places({ places, shown }) {
  if (places.length <= CROWD) return places.map((place) => html`<${Part} key=${place} place=${place} shown=${shown} />`);
  /** @type {Map<string, Place[]>} */
  const tones = new Map();
  for (const place of places) {
    const { tone } = lookOf(place.node.group);
    tones.set(tone, tones.get(tone) ?? []);
    tones.get(tone)?.push(place);
  }
  return [...tones].map(([tone, those]) => html`<path key=${tone} class=${`state crowd tone-${tone}`} d=${crowdOfPlaces(those)} />`);
}

/** @param {{place: Place, shown: Shown}} props */
function Part({ place: { node, box }, shown }) {
  const at = `translate(${box.x.toFixed(1)} ${box.y.toFixed(1)})`;
  if (node.kind === "start") return html`<circle class="mark" transform=${at} r=${box.width / 2} />`;
  if (node.kind === "end") {
    return html`<g class="mark" transform=${at}><circle class="ring" r=${box.width / 2 - 1} /><circle r=${box.width / 2 - 4} /></g>`;
  }
  const untaken = shown.taken !== undefined && !shown.taken.has(node.name);
  const isPresent = shown.present === node.name;
  const kind = shown.taken ? "-untaken" : "";
  const state = html`<g class=${`state tone-${lookOf(node.group).tone} ${untaken ? "untaken" : ""} ${isPresent ? "present" : ""}`}>
    ${box.loop && html`<path class=${`edge edge${kind} ${node.loops.every((loop) => loop.eligible === "WFX") ? "manual" : ""}`} d=${box.loop}
      marker-end=${`url(#arrow${kind})`}><title>${titled(node.loops.map(wordsOf).join("\n"))}</title></path>`}
    <${Inside} node=${node} at=${at} isPresent=${isPresent} note=${shown.notes?.get(node.name) ?? ""} />
  </g>`;
  const to = shown.linkOf?.(node.name) ?? "";
  return to ? html`<a href=${href(to)} onClick=${(/** @type {MouseEvent} */ event) => follow(event, to)}>${state}</a>` : state;
}

/** @param {{node: import("./model.js").Node, at: string, isPresent: boolean, note: string}} props */
function Inside({ node, at, isPresent, note }) {
  const [left, top] = [-node.width / 2, -node.height / 2];
  const baseline = note ? -2 : NAME_SIZE * 0.35;
  return html`<g transform=${at}>
    <title>${titled([node.name, node.group, node.description, note].filter(Boolean).join("\n"))}</title>
    ${isPresent && html`<rect class="pulse" x=${left - 4} y=${top - 4} width=${node.width + 8} height=${node.height + 8} rx="9" />`}
    <rect x=${left} y=${top} width=${node.width} height=${node.height} rx="6" />
    <text class="name" y=${baseline}><tspan class="icon">${lookOf(node.group).icon}</tspan> <tspan class="foreign-name">${node.shown}</tspan></text>
    ${note && html`<text class="note" y="14">${note}</text>`}
  </g>`;
}

/**
 * Follow a link within the console, unless the reader asks for another tab.
 * @param {MouseEvent} event
 * @param {string} to
 */
function follow(event, to) {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.defaultPrevented) return;
  event.preventDefault();
  navigate(to);
}
