// The course of bulk work in its dialog: a look first, then the work itself, which can be stopped and sometimes taken back.

import { useRef, useState } from "preact/hooks";
import { carryOut, look } from "./bulk.js";
import { lookAtRetry, retryAll } from "./retry.js";
import { tagsOf, undoOf } from "./undo.js";

/** @typedef {import("./bulk.js").Work} Work */
/** @typedef {{ work: Work, seen: import("./bulk.js").Seen }} Plan */

/** @param {Work["kind"]} kind @param {import("./bulk.js").Which} which */
export function useBulk(kind, which) {
  const [plan, setPlan] = useState(/** @type {Plan | undefined} */ (undefined));
  const [before, setBefore] = useState(/** @type {import("./undo.js").Tagged[]} */ ([]));
  const [result, setResult] = useState(/** @type {import("./bulk.js").Result | undefined} */ (undefined));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const [busy, setBusy] = useState(false);
  const stopped = useRef(false);
  const stop = () => {
    stopped.current = true;
  };
  const prepare = async (/** @type {Work} */ work) => {
    setPlan({ work, seen: await (kind === "retry" ? lookAtRetry(which) : look(work, which)) });
  };
  const run = async (/** @type {Plan} */ { work, seen: { count, ids } }) => {
    setResult({ count, done: 0, failed: 0, items: [], stopped: false });
    if (kind === "tag") setBefore(await tagsOf(which, count));
    const isStopped = () => stopped.current;
    setResult(await (ids ? retryAll(ids, setResult, isStopped) : carryOut(work, which, count, setResult, isStopped)));
  };
  /** Looks at what the work would do, or does it once it was looked at. @param {() => Work} wanted */
  const next = async (wanted) => {
    setBusy(true);
    setError(undefined);
    await (plan ? run(plan) : prepare(wanted())).catch(setError);
    setBusy(false);
  };
  const ended = result !== undefined && !busy;
  const undo = plan && ended ? undoOf(plan.work, before, result.items) : [];
  return { seen: plan?.seen, result, undo, error, busy, ended, next, stop };
}
