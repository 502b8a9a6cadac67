// What a dialog does once it is confirmed.

import { useState } from "preact/hooks";

/** @typedef {{ busy: boolean, error: unknown, begin: (work: () => Promise<void>) => Promise<void> }} Work `busy` from the beginning on, unless it fails */

/** @returns {Work} */
export function useWork() {
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const [busy, setBusy] = useState(false);
  /** @param {() => Promise<void>} work */
  const begin = async (work) => {
    setBusy(true);
    try {
      await work();
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  return { busy, error, begin };
}
