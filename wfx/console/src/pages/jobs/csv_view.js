// The button that saves the jobs of the list as CSV, with progress, and a button to stop.

import { useEffect, useRef, useState } from "preact/hooks";
import { isAbort } from "../../lib/api.js";
import { html } from "../../lib/html.js";
import { Problem } from "../../lib/problem.js";
import { saveFile } from "../../lib/save_file.js";
import { number, strings } from "../../lib/strings.en.js";
import { MOST, write } from "./csv.js";

const words = strings.jobs.csv;

/** @param {{ filters: import("./filters.js").Filters, total: number }} props */
export function CsvButton({ filters, total }) {
  const ending = useRef(/** @type {AbortController | undefined} */ (undefined));
  const [done, tell] = useState(/** @type {number | undefined} */ (undefined));
  const [note, setNote] = useState("");
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  useEffect(() => () => ending.current?.abort(), []);
  const start = async () => {
    const { signal } = (ending.current = new AbortController());
    setError(undefined);
    setNote("");
    tell(0);
    try {
      const { parts, complete } = await write(filters, signal, tell);
      saveFile("wfx-jobs.csv", "text/csv;charset=utf-8", parts);
      if (!complete) setNote(words.cut(MOST));
    } catch (failed) {
      if (!isAbort(failed)) setError(failed);
    }
    tell(undefined);
  };
  if (done === undefined) {
    return html`<button type="button" onClick=${start} disabled=${total === 0} title=${words.title}>↓ ${words.button}</button>
      <span class="faint" role="status">${note}</span><${Problem} error=${error} />`;
  }
  return html`<span role="status">${words.progress(number(done), number(total))}</span>
    <button type="button" onClick=${() => ending.current?.abort()}>${words.stop}</button>`;
}
