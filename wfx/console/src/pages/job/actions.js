// What an operator can do to a job.

import { useState } from "preact/hooks";
import { newKey, request } from "../../lib/api.js";
import { API, FLEET } from "../../lib/base.js";
import { Dialog } from "../../lib/dialog.js";
import { html } from "../../lib/html.js";
import { copyOf } from "../../lib/job_copy.js";
import { Problem } from "../../lib/problem.js";
import { navigate } from "../../lib/router.js";
import { strings } from "../../lib/strings.en.js";
import { CopyButton } from "../../lib/copy_button.js";
import { useWork } from "../../lib/work.js";
import { nextOf } from "./now.js";

/** @typedef {import("./state.js").Shown} Shown */
/** @typedef {import("./state.js").JobState} JobState */
/** @typedef {{ kind: "retry" | "tag" | "remove" } | { kind: "move", to: string }} Wanted */

const words = strings.job.actions;

/** @param {{ state: JobState, shown: Shown }} props */
export function Actions({ state, shown }) {
  const [wanted, want] = useState(/** @type {Wanted | undefined} */ (undefined));
  const moves = nextOf(shown).filter((step) => step.eligible === "WFX" && step.action !== "IMMEDIATE");
  return html`<div class="actions no-print">
    ${moves.map(({ to }) => html`<button type="button" key=${to} class="primary" onClick=${() => want({ kind: "move", to })}>${words.move(to.slice(0, 60))}</button>`)}
    <button type="button" onClick=${() => want({ kind: "retry" })}>⟳ ${words.retry}</button>
    <button type="button" onClick=${() => want({ kind: "tag" })}>${words.tag}</button>
    <button type="button" class="danger" onClick=${() => want({ kind: "remove" })}>${words.remove}</button>
    <${CopyButton} name=${strings.job.copyWfxctl} text=${() => `wfxctl job describe ${shown.fleet.id}`} />
    <${CopyButton} name=${strings.job.copyCurl} text=${() => `curl -s '${new URL(`${API}/jobs/${state.path}?history=true`, location.href)}'`} />
    ${wanted && html`<${Confirm} key=${wanted.kind} wanted=${wanted} state=${state} shown=${shown} onClose=${() => want(undefined)} />`}
  </div>`;
}

/** @param {{ wanted: Wanted, state: JobState, shown: Shown, onClose: () => void }} props */
function Confirm({ wanted, state, shown, onClose }) {
  const { busy, error, begin } = useWork();
  const [text, setText] = useState(wanted.kind === "tag" ? shown.fleet.tags.join(", ") : "");
  const client = shown.fleet.clientId.slice(0, 100);
  const title = wanted.kind === "move" ? words.move(wanted.to) : words[wanted.kind];
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    void begin(async () => {
      await carryOut(wanted, state, shown, text);
      onClose();
    });
  };
  return html`<${Dialog}
    title=${title}
    onClose=${onClose}
    actions=${html`<button type="submit" form="job-action" disabled=${busy} class=${wanted.kind === "remove" ? "danger" : "primary"}>${wanted.kind === "tag" ? words.save : title}</button>`}
  >
    <form id="job-action" onSubmit=${submit}>
      ${wanted.kind === "move" && html`<p>${words.moveText(client, wanted.to)}</p>`}
      ${wanted.kind === "retry" && html`<p>${words.retryText(client)}</p>`}
      ${wanted.kind === "remove" && html`<p>${words.removeText(client)}</p>`}
      ${(wanted.kind === "move" || wanted.kind === "tag") &&
      html`<label>${wanted.kind === "tag" ? words.tagText : words.message}
        <input value=${text} maxlength="1024" onInput=${(/** @type {any} */ { currentTarget }) => setText(currentTarget.value)} />
      </label>`}
      <${Problem} error=${error} />
    </form>
  <//>`;
}

/** @param {Wanted} wanted @param {JobState} state @param {Shown} shown @param {string} text */
async function carryOut(wanted, state, shown, text) {
  const { etag, fleet } = shown;
  const job = `${FLEET}/jobs/${state.path}`;
  if (wanted.kind === "move") {
    const body = { state: wanted.to, ...(text && { message: text }) };
    await request(`${job}/status`, { method: "PUT", body, ifMatch: etag });
  } else if (wanted.kind === "remove") {
    await request(job, { method: "DELETE", ifMatch: etag });
    navigate("jobs");
  } else if (wanted.kind === "tag") {
    await changeTags(state.id, fleet.tags, text);
  } else await retry(fleet);
  // What comes next is decided on the job as it is now.
  if (wanted.kind === "move" || wanted.kind === "tag") await state.read();
}

/** @param {string} id @param {string[]} before @param {string} text */
async function changeTags(id, before, text) {
  const after = [...new Set(text.split(",").map((tag) => tag.trim()).filter(Boolean))];
  const add = after.filter((tag) => !before.includes(tag));
  const remove = before.filter((tag) => !after.includes(tag));
  if (add.length + remove.length === 0) return;
  const body = { ids: [id], ...(add.length > 0 && { add }), ...(remove.length > 0 && { remove }) };
  const { data } = await request(`${FLEET}/jobs:tag`, { method: "POST", body, idempotencyKey: newKey() });
  const failed = data.items?.find((/** @type {any} */ item) => item.error);
  if (failed) throw new Error(failed.error.message);
}

/** Creates the same job once more. @param {any} fleet */
async function retry(fleet) {
  const { data } = await request(`${API}/jobs`, { method: "POST", text: await copyOf(fleet) });
  navigate(`jobs/${encodeURIComponent(data.id)}`);
}
