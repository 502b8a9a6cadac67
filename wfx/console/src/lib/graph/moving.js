/**
 * Moving and enlarging by pointer, wheel, keys and buttons.
 */
import { useEffect, useRef } from "preact/hooks";
import { strings } from "../strings.en.js";

/** @typedef {{x: number, y: number}} Point */

/**
 * What moves and enlarges.
 * @typedef {object} Control
 * @property {(by: Point) => void} move by pixels
 * @property {(factor: number, fixed?: Point) => void} zoom so that a point stays where it is; it is counted from the middle
 * @property {() => void} reset shows the whole picture
 */

const STEP = 1.25;
const PIXELS = 60;
/** A pointer that moves less has clicked. */
const CLICK = 4;

/** @type {Record<string, (control: Control) => void>} */
const KEYS = {
  ArrowLeft: ({ move }) => move({ x: -PIXELS, y: 0 }),
  ArrowRight: ({ move }) => move({ x: PIXELS, y: 0 }),
  ArrowUp: ({ move }) => move({ x: 0, y: -PIXELS }),
  ArrowDown: ({ move }) => move({ x: 0, y: PIXELS }),
  "+": ({ zoom }) => zoom(STEP),
  "=": ({ zoom }) => zoom(STEP),
  "-": ({ zoom }) => zoom(1 / STEP),
  0: ({ reset }) => reset(),
};

/**
 * Return the handlers of a frame, and its buttons.
 * @param {{current: HTMLElement | null}} frame
 * @param {Control} control
 */
export function useMoving(frame, control) {
  const latest = useRef(control);
  latest.current = control;
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const wheel = (/** @type {WheelEvent} */ event) => turn(event, element, latest.current);
    element.addEventListener("wheel", wheel, { passive: false }); // Preact's own would be passive
    return () => element.removeEventListener("wheel", wheel);
  }, []);
  const { zoom, reset } = control;
  return {
    handlers: { ...useDragging(control), onKeyDown: (/** @type {KeyboardEvent} */ event) => press(event, control) },
    buttons: [
      { sign: "+", name: strings.graph.larger, run: () => zoom(STEP) },
      { sign: "−", name: strings.graph.smaller, run: () => zoom(1 / STEP) },
      { sign: "⤢", name: strings.graph.whole, run: reset },
    ],
  };
}

/**
 * Enlarge by the wheel, once the frame has the focus; before, the wheel moves the page.
 * @param {WheelEvent} event
 * @param {HTMLElement} frame
 * @param {Control} control
 */
function turn(event, frame, control) {
  if (!event.ctrlKey && !event.metaKey && !frame.contains(document.activeElement)) return;
  event.preventDefault();
  const { left, top, width, height } = frame.getBoundingClientRect();
  const fixed = { x: event.clientX - left - width / 2, y: event.clientY - top - height / 2 };
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY / 40 : event.deltaY;
  control.zoom(STEP ** -Math.max(-3, Math.min(3, lines)), fixed);
}

/** @param {KeyboardEvent} event @param {Control} control */
function press(event, control) {
  if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  KEYS[event.key]?.(control);
}

/**
 * Move with the pointer. What is clicked at the end of a move is not followed.
 * @param {Control} control
 */
function useDragging({ move }) {
  const drag = useRef({ id: -1, x: 0, y: 0, moved: false });
  return {
    onPointerDown: (/** @type {PointerEvent} */ event) => {
      if (event.button === 0) drag.current = { id: event.pointerId, x: event.clientX, y: event.clientY, moved: false };
    },
    onPointerMove: (/** @type {PointerEvent} */ event) => {
      const from = drag.current;
      if (from.id !== event.pointerId) return;
      const by = { x: from.x - event.clientX, y: from.y - event.clientY };
      if (!from.moved && Math.hypot(by.x, by.y) < CLICK) return;
      if (!from.moved) /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
      drag.current = { id: event.pointerId, x: event.clientX, y: event.clientY, moved: true };
      move(by);
    },
    onPointerUp: () => (drag.current.id = -1),
    onPointerCancel: () => (drag.current.id = -1),
    onClickCapture: (/** @type {MouseEvent} */ event) => {
      if (drag.current.moved) event.preventDefault();
      drag.current.moved = false;
    },
    onDragStart: (/** @type {DragEvent} */ event) => event.preventDefault(),
  };
}
