// Work that is done again and again while somebody looks at the page, and has not paused it.

import { paused } from "./live.js";

/**
 * Does it after each such time, unless it is still at work; returns what ends it.
 * @param {() => Promise<void> | void} run @param {{ every: number, atOnce?: boolean }} when `every` so many milliseconds
 */
export function whileSeen(run, { every, atOnce = false }) {
  let working = false;
  const begin = async () => {
    if (working) return;
    working = true;
    try {
      await run();
    } finally {
      working = false;
    }
  };
  if (atOnce) void begin();
  const timer = setInterval(() => {
    if (!document.hidden && !paused.peek()) void begin();
  }, every);
  return () => clearInterval(timer);
}
