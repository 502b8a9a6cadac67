// Reading a document for a component: it is there, or the error, or neither yet.

import { useEffect, useState } from "preact/hooks";
import { ApiError, get, isAbort } from "./api.js";

/** @typedef {{ data: any, error: unknown, again: () => void }} Reading what was read before stays while an error is shown */

/** @param {string} path @param {Record<string, string | number>} [query] @returns {Reading} */
export function useRead(path, query = {}) {
  const [data, setData] = useState(/** @type {any} */ (undefined));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const ending = new AbortController();
    get(path, query, ending.signal).then(
      (answer) => {
        setData(answer);
        setError(undefined);
      },
      (failure) => isAbort(failure) || setError(failure),
    );
    return () => ending.abort();
  }, [path, JSON.stringify(query), tries]);
  return { data, error, again: () => setTries((before) => before + 1) };
}

/** What the service says about something that is switched off; empty if it is not. @param {unknown} error @param {number} status with which it says so */
export function switchedOff(error, status) {
  return error instanceof ApiError && error.status === status ? error.message : "";
}
