// Looks at the figures of the service, each few seconds while the page is seen.

import { useEffect, useState } from "preact/hooks";
import { isAbort, request } from "../../lib/api.js";
import { ROOT } from "../../lib/base.js";
import { metricsOf } from "./metrics.js";

/** @typedef {import("./metrics.js").Look} Look */

export const PAUSE = 5; // seconds
const MOST = 120; // looks that are kept: ten minutes

/** @returns {{ looks: Look[], error: unknown }} */
export function useLooks() {
  const [looks, setLooks] = useState(/** @type {Look[]} */ ([]));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  useEffect(() => {
    const ending = new AbortController();
    const look = async () => {
      if (document.hidden) return;
      try {
        const { text } = await request(`${ROOT}metrics`, { signal: ending.signal, headers: { accept: "text/plain" } });
        setLooks((before) => [...before, { at: Date.now(), metrics: metricsOf(text) }].slice(-MOST));
        setError(undefined);
      } catch (failure) {
        if (!isAbort(failure)) setError(failure);
      }
    };
    void look();
    const timer = setInterval(look, PAUSE * 1000);
    return () => {
      ending.abort();
      clearInterval(timer);
    };
  }, []);
  return { looks, error };
}
