// Keys of the whole console and of the page that is shown, single ones and sequences as `g j`.

import { useEffect } from "preact/hooks";

/** @typedef {{ keys: string, does: string, run: () => void }} Key */

/** @type {Key[]} */
const keys = [];
const PATIENCE = 1200; // milliseconds between the keys of a sequence

/** All that work now, for the list that `?` shows. @returns {readonly Key[]} */
export function knownKeys() {
  return keys;
}

/** Has keys work until the function that is returned is called. @param {Key[]} more */
function bind(more) {
  keys.push(...more);
  return () => {
    for (const each of more) keys.splice(keys.indexOf(each), 1);
  };
}

/** The same for as long as a component is shown. @param {() => Key[]} make @param {unknown[]} inputs */
export function useKeys(make, inputs) {
  useEffect(() => bind(make()), inputs);
}

/** Finds what to run; the later one wins. @param {readonly Key[]} among @param {string} typed @returns {{ run?: () => void, goesOn: boolean }} */
export function find(among, typed) {
  const run = among.findLast((each) => each.keys === typed)?.run;
  return { ...(run && { run }), goesOn: among.some((each) => each.keys.startsWith(`${typed} `)) };
}

/** @param {EventTarget | null} target */
function takesText(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function startKeyboard() {
  let typed = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && takesText(event.target)) {
      /** @type {HTMLElement} */ (event.target).blur();
      return;
    }
    if (takesText(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "Enter" && event.target instanceof Element && event.target.closest("a, button, summary")) return;
    const before = event.timeStamp - last < PATIENCE ? typed : "";
    const sequence = before ? `${before} ${event.key}` : event.key;
    let found = find(keys, sequence);
    typed = found.goesOn ? sequence : "";
    if (!found.run && !found.goesOn && before) {
      found = find(keys, event.key);
      typed = found.goesOn ? event.key : "";
    }
    last = event.timeStamp;
    if (found.run) {
      event.preventDefault();
      found.run();
    }
  });
}
