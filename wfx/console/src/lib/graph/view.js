/**
 * View of a workflow's graph: an SVG that can be moved and enlarged, and the same as a table.
 */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { strings } from "../strings.en.js";
import * as camera from "./camera.js";
import { Arrows, Lines, Places } from "./parts.js";
import { drawnOf, passed, pictureOf } from "./picture.js";
import { useMoving } from "./moving.js";
import { StatesTable } from "./states_table.js";

/** @typedef {import("./picture.js").Picture} Picture */

const words = strings.graph;

/**
 * @typedef {object} Props
 * @property {string} label what it is, for those who do not see it
 * @property {import("./model.js").Workflow} workflow
 * @property {string} [id] of the SVG
 * @property {ReadonlyMap<string, string>} [notes] what stands below the names of states
 * @property {string} [noteTitle] what the notes are, for the table
 * @property {string} [present] the state that the job is in
 * @property {readonly string[]} [taken] the states that it has been in, in this order
 * @property {(state: string) => string} [linkOf] where a state leads, below the console; empty for nowhere
 */

/** @param {Props} props */
export function Graph({ label, workflow, id, notes, noteTitle = "", present, taken, linkOf }) {
  const picture = useMemo(() => pictureOf(workflow, noteTitle ? 2 : 1), [workflow, noteTitle !== ""]);
  const path = useMemo(() => passed(picture, workflow, taken), [picture, JSON.stringify(taken)]);
  const shown = { ...(present !== undefined && { present }), ...(path && { taken: path.states }), ...(notes && { notes }), ...(linkOf && { linkOf }) };
  return html`<figure class="graph">
    <${Frame} key=${workflow} id=${id} label=${label} picture=${picture} shown=${shown} lines=${path?.lines} />
    <figcaption>
      ${words.legend}${picture.left > 0 && html` <strong>${words.left(picture.left)}</strong>`}
    </figcaption>
    <${StatesTable} workflow=${workflow} shown=${shown} noteTitle=${noteTitle} />
  </figure>`;
}

/**
 * The part of the picture that is seen, with what moves and enlarges it.
 * @param {{id?: string, label: string, picture: Picture, shown: import("./parts.js").Shown, lines: ReadonlySet<unknown> | undefined}} props
 */
function Frame({ id, label, picture, shown, lines }) {
  const frame = useRef(/** @type {HTMLDivElement | null} */ (null));
  const window = useSize(frame);
  const [moved, setCamera] = useState(/** @type {camera.Camera | null} */ (null));
  const start = picture.places.find(({ node }) => node.kind === "state" && (shown.present === undefined || node.name === shown.present));
  const first = useMemo(() => camera.first(picture, window, start?.box ?? { x: 0, y: 0 }), [picture, window]);
  const now = moved ?? first;
  const moving = useMoving(frame, {
    move: (by) => setCamera((before) => camera.moved(before ?? first, by, picture, window)),
    zoom: (factor, fixed) => setCamera((before) => camera.zoomed(before ?? first, factor, picture, window, fixed)),
    reset: () => setCamera(camera.whole(picture, window)),
  });
  const seen = camera.seen(now, window);
  const drawn = drawnOf(picture, seen);
  const box = [seen.left, seen.top, seen.right - seen.left, seen.bottom - seen.top].map((value) => value.toFixed(2)).join(" ");
  return html`<div class="graph-frame" ref=${frame} tabindex="0" role="group" aria-label=${words.frame(label)} ...${moving.handlers}>
    <svg id=${id} viewBox=${box} role=${shown.linkOf ? "group" : "img"} aria-label=${words.summary(label, shown.present)}>
      <${Arrows} /><${Lines} strokes=${drawn.strokes} taken=${lines} /><${Places} places=${drawn.places} shown=${shown} />
    </svg>
    <div class="graph-buttons">${moving.buttons.map(({ sign, name, run }) =>
      html`<button type="button" key=${sign} title=${name} aria-label=${name} onClick=${run}>${sign}</button>`)}</div>
  </div>`;
}

/** The size of an element, as it changes. @param {{current: HTMLElement | null}} element */
function useSize(element) {
  const [size, setSize] = useState({ width: 800, height: 480 });
  const measure = () => {
    const { clientWidth: width, clientHeight: height } = element.current ?? { clientWidth: 0, clientHeight: 0 };
    if (width && height) setSize((before) => (before.width === width && before.height === height ? before : { width, height }));
  };
  useLayoutEffect(measure, []);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (element.current) observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return size;
}
