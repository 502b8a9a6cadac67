// What an operator can do to a device: say what it is, or forget it.

import { useEffect, useState } from "preact/hooks";
import { ApiError, isAbort, request } from "../../lib/api.js";
import { Dialog } from "../../lib/dialog.js";
import { html } from "../../lib/html.js";
import { Problem } from "../../lib/problem.js";
import { navigate } from "../../lib/router.js";
import { strings } from "../../lib/strings.en.js";
import { CopyButton } from "../../lib/copy_button.js";
import { useWork } from "../../lib/work.js";
import { descriptionOf, linesOf } from "./description.js";

/** @typedef {import("./state.js").DeviceState} DeviceState */

const words = strings.device;

/** @param {{ state: DeviceState }} props */
export function Actions({ state }) {
  const [wanted, want] = useState(/** @type {"edit" | "forget" | undefined} */ (undefined));
  const close = () => want(undefined);
  return html`<div class="actions no-print">
    <button type="button" onClick=${() => want("edit")}>${words.edit}</button>
    <button type="button" class="danger" onClick=${() => want("forget")}>${words.forget}</button>
    <${CopyButton} name=${strings.job.copyCurl} text=${() => `curl -s '${new URL(state.path, location.href)}'`} />
    ${wanted === "edit" && html`<${Editing} state=${state} onClose=${close} />`}
    ${wanted === "forget" && html`<${Forgetting} state=${state} onClose=${close} />`}
  </div>`;
}

/** @param {{ state: DeviceState, onClose: () => void }} props */
function Editing({ state, onClose }) {
  const [read, setRead] = useState(/** @type {import("../../lib/api.js").Answer | undefined} */ (undefined));
  const [unread, setUnread] = useState(/** @type {unknown} */ (undefined));
  const { busy, error = unread, begin } = useWork();
  const path = `${state.path}/attributes`;
  useEffect(() => {
    const ending = new AbortController();
    request(path, { signal: ending.signal }).then(setRead, (failed) => isAbort(failed) || setUnread(failed));
    return () => ending.abort();
  }, [path]);
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const typed = descriptionOf(String(form.get("attributes") ?? ""), String(form.get("labels") ?? ""));
    void begin(async () => {
      if ("line" in typed) throw new Error(words.noPair(typed.line));
      await request(path, { method: "PUT", body: typed, ifMatch: read?.etag ?? "" });
      await state.read();
      onClose();
    });
  };
  return html`<${Dialog}
    title=${words.edit}
    onClose=${onClose}
    actions=${html`<button type="submit" form="device-edit" class="primary" disabled=${busy || !read}>${words.save}</button>`}
  >
    <form id="device-edit" onSubmit=${submit}>
      ${!read && !error && html`<p class="skeleton">${strings.loading}</p>`}
      ${read &&
      html`<label>${words.attributesHint}<textarea name="attributes" rows="8" spellcheck=${false} defaultValue=${linesOf(read.data.attributes)}></textarea></label>
        <label>${words.labelsHint}<input name="labels" spellcheck=${false} autocomplete="off" defaultValue=${read.data.labels.join(", ")} /></label>`}
      <${Problem} error=${error} />
    </form>
  <//>`;
}

/** @param {{ state: DeviceState, onClose: () => void }} props */
function Forgetting({ state, onClose }) {
  const { busy, error, begin } = useWork();
  const run = () =>
    begin(async () => {
      await forget(state.path);
      navigate("devices");
    });
  return html`<${Dialog}
    title=${words.forget}
    onClose=${onClose}
    actions=${html`<button type="button" class="danger" disabled=${busy} onClick=${run}>${words.forget}</button>`}
  >
    <p>${words.forgetText(state.id.slice(0, 100))}</p>
    <${Problem} error=${error} />
  <//>`;
}

/** Has the service forget a device, or says what has to be done before. @param {string} path */
async function forget(path) {
  try {
    await request(path, { method: "DELETE" });
  } catch (failed) {
    if (failed instanceof ApiError && failed.status === 409) failed.advice = words.inUse;
    throw failed;
  }
}
