// What pages with a list of many rows share: which list is shown, the marked row, and rows that have just changed.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useKeys } from "./keyboard.js";
import { strings } from "./strings.en.js";

/** @template Row @typedef {import("./paged_list.js").PagedList<Row>} List */
/**
 * @template Row
 * @typedef {object} Shown
 * @property {List<Row>} list
 * @property {(onLost: () => void) => Promise<void>} start
 * @property {() => void} close
 */

const CHANGED = 2500; // milliseconds for which a row that has changed is marked

/**
 * The state of a list, made anew when `key` changes or by `again`, and the list that is shown meanwhile.
 * @template Row
 * @template {Shown<Row>} State
 * @param {string} key
 * @param {() => State} make
 * @returns {{ state: State, list: State["list"], again: () => void }}
 */
export function useLiveList(key, make) {
  const [turn, setTurn] = useState(0);
  const again = () => setTurn((last) => last + 1);
  const state = useMemo(make, [key, turn]);
  const [shown, show] = useState(state);
  useEffect(() => {
    // What was there stays until there is something to take its place.
    void state.start(again).then(() => state.list.version.peek() > 0 && show(state));
    return () => state.close();
  }, [state]);
  return { state, list: shown.list, again };
}

/**
 * The row that keys act on. A key acts on the row that the one before it has marked, drawn or not; a new list keeps the mark.
 * @template Row
 * @param {List<Row>} list
 * @param {{ keyOf: (row: Row) => string, open: (row: Row) => void, toggle?: (row: Row) => void }} how
 * @returns {number} where the row is; -1 if none is marked
 */
export function useMark(list, { keyOf, open, toggle }) {
  const [active, setActive] = useState(-1);
  const marked = useRef(/** @type {{ row: Row | undefined, at: number }} */ ({ row: undefined, at: -1 }));
  const mark = (/** @type {number} */ at) => {
    marked.current = { row: list.rows[at], at };
    setActive(at);
  };
  useLayoutEffect(() => {
    const { row } = marked.current;
    mark(row === undefined ? -1 : list.rows.findIndex((each) => keyOf(each) === keyOf(row)));
  }, [list]);
  useKeys(() => {
    const move = (/** @type {number} */ by) => mark(Math.min(list.rows.length - 1, Math.max(0, marked.current.at + by)));
    const act = (/** @type {(row: Row) => void} */ run) => () => {
      if (marked.current.row !== undefined) run(marked.current.row);
    };
    return [
      { keys: "j", does: strings.keys.next, run: () => move(1) },
      { keys: "k", does: strings.keys.previous, run: () => move(-1) },
      { keys: "Enter", does: strings.keys.open, run: act(open) },
      ...(toggle ? [{ keys: "x", does: strings.keys.select, run: act(toggle) }] : []),
    ];
  }, [list]);
  return active;
}

/** The class of a row that has just changed; another one each time, so that it fades anew. @param {{ changed?: number }} row */
export function changedClass({ changed }) {
  return changed !== undefined && Date.now() - changed < CHANGED ? `changed-${changed % 2}` : "";
}
