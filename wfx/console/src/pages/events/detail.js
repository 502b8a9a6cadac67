// All of one event, as the service has it.

import { useEffect, useState } from "preact/hooks";
import { get, isAbort } from "../../lib/api.js";
import { API } from "../../lib/base.js";
import { html } from "../../lib/html.js";
import { JsonText } from "../../lib/json_text.js";
import { logOf, numberOf } from "../../lib/live_stream.js";
import { Problem } from "../../lib/problem.js";
import { strings } from "../../lib/strings.en.js";
import { CopyButton } from "../../lib/copy_button.js";

/** @param {{ id: string, onClose: () => void }} props */
export function Detail({ id, onClose }) {
  const [text, setText] = useState("");
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  useEffect(() => {
    const ending = new AbortController();
    setError(undefined);
    get(`${API}/jobs/events`, { since: `${logOf(id)}-${numberOf(id) - 1}`, limit: 1 }, ending.signal).then(
      ({ content }) => setText(JSON.stringify(content[0]?.event ?? null)),
      (failed) => isAbort(failed) || setError(failed),
    );
    return () => ending.abort();
  }, [id]);
  const title = strings.events.detail(String(numberOf(id)));
  return html`<section class="panel event-detail" aria-label=${title}>
    <div class="heading">
      <h2>${title}</h2>
      <${CopyButton} name=${strings.job.copyJson} text=${() => text} />
      <button type="button" onClick=${onClose}>${strings.dialog.close}</button>
    </div>
    <${Problem} error=${error} />
    ${text && html`<${JsonText} id="event-json" text=${text} />`}
  </section>`;
}
