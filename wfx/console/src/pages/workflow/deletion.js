// The dialog that deletes a workflow.

import { request } from "../../lib/api.js";
import { API } from "../../lib/base.js";
import { Dialog } from "../../lib/dialog.js";
import { html } from "../../lib/html.js";
import { Problem } from "../../lib/problem.js";
import { navigate } from "../../lib/router.js";
import { strings } from "../../lib/strings.en.js";
import { useWork } from "../../lib/work.js";

const words = strings.workflows;

/** @param {{ name: string, jobs: number | undefined, onClose: () => void }} props */
export function Deletion({ name, jobs, onClose }) {
  const { busy, error, begin } = useWork();
  const run = () =>
    begin(async () => {
      await request(`${API}/workflows/${encodeURIComponent(name)}`, { method: "DELETE" });
      navigate("workflows");
    });
  const action = html`<button type="button" class="danger" disabled=${busy || !!jobs} onClick=${run}>${words.delete}</button>`;
  return html`<${Dialog} title=${words.deleteTitle(name)} onClose=${onClose} actions=${action}>
    <p>${jobs ? words.deleteUsed(jobs) : words.deleteUnused}</p>
    <${Problem} error=${error} />
  <//>`;
}
