// The button that takes a change of tags back, and what became of that.

import { useState } from "preact/hooks";
import { html } from "../../lib/html.js";
import { Problem } from "../../lib/problem.js";
import { number, strings } from "../../lib/strings.en.js";
import { useWork } from "../../lib/work.js";
import { carryOut } from "./bulk.js";

const words = strings.bulk;

/** @param {{ steps: import("./undo.js").Step[] }} props */
export function UndoButton({ steps }) {
  const { busy, error, begin } = useWork();
  const [done, setDone] = useState(/** @type {{ done: number, failed: number } | undefined} */ (undefined));
  // What was taken back before something fails stays so, and can be taken back again.
  const undo = () => begin(async () => {
    const sum = { done: 0, failed: 0 };
    for (const { work, ids } of steps) {
      const { done: more, failed } = await carryOut(work, { ids }, ids.length, () => {}, () => false);
      sum.done += more;
      sum.failed += failed;
    }
    setDone(sum);
  });
  if (done) return html`<p role="status">${words.undone(number(done.done), number(done.failed))}</p>`;
  return html`<button type="button" disabled=${busy} onClick=${undo}>${words.undo}</button><${Problem} error=${error} />`;
}
