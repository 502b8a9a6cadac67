// Counts of jobs that follow what happens: read anew after changes, but not more often than each few seconds.

import { useEffect, useState } from "preact/hooks";
import { isAbort } from "./api.js";
import { follow } from "./live.js";
import { readSummary } from "./job_counts.js";

/** @typedef {import("./job_counts.js").Summary} Summary */

const PAUSE = 3000; // milliseconds between two readings

/** @param {string} [workflow] only those of this one @returns {{ summary: Summary | undefined, error: unknown }} */
export function useCounts(workflow) {
  const [summary, setSummary] = useState(/** @type {Summary | undefined} */ (undefined));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  useEffect(() => {
    const ending = new AbortController();
    let stop = () => {};
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let waiting;
    const later = () => {
      waiting ??= setTimeout(read, PAUSE);
    };
    const read = async () => {
      waiting = undefined;
      stop();
      try {
        const answer = await readSummary(workflow, ending.signal);
        setSummary(answer);
        setError(undefined);
        if (!ending.signal.aborted) stop = follow({ since: answer.position, onEvents: later, onLost: later });
      } catch (failure) {
        if (isAbort(failure)) return;
        setError(failure);
        later();
      }
    };
    read();
    return () => {
      ending.abort();
      clearTimeout(waiting);
      stop();
    };
  }, [workflow]);
  return { summary, error };
}
