// Work that is done again and again while somebody looks at the page, and has not paused it.

import { paused } from "./live.js";

/** Does it after each such time; returns what ends it. @param {() => void} run @param {number} milliseconds */
export function whileSeen(run, milliseconds) {
  const timer = setInterval(() => {
    if (!document.hidden && !paused.peek()) run();
  }, milliseconds);
  return () => clearInterval(timer);
}
