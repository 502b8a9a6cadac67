// The dialog that deletes a workflow.

import { useState } from "preact/hooks";
import { request } from "../../lib/api.js";
import { API } from "../../lib/base.js";
import { Dialog } from "../../lib/dialog.js";
import { html } from "../../lib/html.js";
import { Problem } from "../../lib/problem.js";
import { navigate } from "../../lib/router.js";
import { strings } from "../../lib/strings.en.js";

const words = strings.workflows;

/** @param {{ name: string, jobs: number | undefined, onClose: () => void }} props */
export function Deletion({ name, jobs, onClose }) {
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      await request(`${API}/workflows/${encodeURIComponent(name)}`, { method: "DELETE" });
      navigate("workflows");
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const action = html`<button type="button" class="danger" disabled=${busy || !!jobs} onClick=${run}>${words.delete}</button>`;
  return html`<${Dialog} title=${words.deleteTitle(name)} onClose=${onClose} actions=${action}>
    <p>${jobs ? words.deleteUsed(jobs) : words.deleteUnused}</p>
    <${Problem} error=${error} />
  <//>`;
}
