// A table of very many rows, of which only those that are seen exist as elements.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "./html.js";

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} name of the class and the sort
 * @property {any} title
 * @property {(row: Row, index: number) => any} cell
 */
/**
 * @template Row
 * @typedef {object} TableProps
 * @property {string} id
 * @property {string} label
 * @property {Column<Row>[]} columns
 * @property {Row[]} rows those that are loaded
 * @property {number} total how many there are, as far as is known
 * @property {(row: Row) => string} keyOf
 * @property {(count: number) => void} need asks for so many rows to be loaded
 * @property {(first: number, last: number) => void} [seen] is told which rows are drawn
 * @property {number} [active] the row that keys act on
 * @property {(row: Row) => string} [classOf]
 * @property {(row: Row, event: MouseEvent) => void} [onRow] a click beside links and buttons
 */

const ROW_HEIGHT = 36;
const BEYOND = 12; // rows above and below those that are seen
const AHEAD = 100; // rows that are loaded before they are reached

/** Which rows to draw. @param {number} top pixels that are scrolled @param {number} height pixels that are seen @param {number} count */
export function window(top, height, count) {
  const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - BEYOND);
  const last = Math.min(count, Math.ceil((top + height) / ROW_HEIGHT) + BEYOND);
  return { first: Math.min(first, last), last };
}

/** @template Row @param {TableProps<Row>} props */
export function VirtualTable({ id, label, columns, rows, total, keyOf, need, seen, active = -1, classOf, onRow }) {
  const frame = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [view, setView] = useState({ top: 0, height: 800 });
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    let asked = 0;
    const look = () => {
      asked = 0;
      setView({ top: element.scrollTop, height: element.clientHeight });
    };
    const later = () => {
      asked ||= requestAnimationFrame(look);
    };
    const resized = new ResizeObserver(later);
    resized.observe(element);
    element.addEventListener("scroll", later, { passive: true });
    look();
    return () => {
      resized.disconnect();
      element.removeEventListener("scroll", later);
      cancelAnimationFrame(asked);
    };
  }, []);
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element || active < 0) return;
    const top = active * ROW_HEIGHT;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + 2 * ROW_HEIGHT > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + 2 * ROW_HEIGHT - element.clientHeight;
    }
  }, [active]);
  const { first, last } = window(view.top, view.height, rows.length);
  const wanted = Math.ceil((view.top + view.height) / ROW_HEIGHT) + AHEAD;
  useLayoutEffect(() => {
    if (wanted > rows.length) need(wanted);
    seen?.(first, last);
  });
  return html`<div class="table-frame" ref=${frame} tabindex="0" role="region" aria-label=${label}>
    <table id=${id} aria-rowcount=${total + 1}>
      <thead>
        <tr aria-rowindex="1">${columns.map((column) => html`<th scope="col" class=${`c-${column.name}`}>${column.title}</th>`)}</tr>
      </thead>
      <tbody>
        ${first > 0 && html`<tr class="spacer" aria-hidden="true" key="above"><td colspan=${columns.length} style=${{ height: `${first * ROW_HEIGHT}px` }}></td></tr>`}
        ${rows.slice(first, last).map((row, offset) => {
          const index = first + offset;
          return html`<tr
            key=${keyOf(row)}
            aria-rowindex=${index + 2}
            class=${`${index === active ? "active " : ""}${classOf?.(row) ?? ""}`}
            onClick=${(/** @type {MouseEvent} */ event) => {
              if (!(event.target instanceof Element && event.target.closest("a, button, input, label"))) onRow?.(row, event);
            }}
          >
            ${columns.map((column) => html`<td class=${`c-${column.name}`}>${column.cell(row, index)}</td>`)}
          </tr>`;
        })}
        ${last < rows.length && html`<tr class="spacer" aria-hidden="true" key="below"><td colspan=${columns.length} style=${{ height: `${(rows.length - last) * ROW_HEIGHT}px` }}></td></tr>`}
      </tbody>
    </table>
  </div>`;
}
