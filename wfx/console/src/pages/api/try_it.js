// The form that sends an operation to this service, and what it answered.

import { useRef, useState } from "preact/hooks";
import { ApiError, isAbort, queryText, request } from "../../lib/api.js";
import { ROOT } from "../../lib/base.js";
import { Dialog } from "../../lib/dialog.js";
import { visible } from "../../lib/format.js";
import { html } from "../../lib/html.js";
import { JsonText } from "../../lib/json_text.js";
import { Problem } from "../../lib/problem.js";
import { strings } from "../../lib/strings.en.js";
import { Text } from "../../lib/text.js";
import { CopyButton } from "../../lib/copy_button.js";
import { curlOf, requestOf } from "./document.js";

/** @typedef {import("./document.js").Operation} Operation */
/** @typedef {{ status: number, headers: Headers, text: string, data: any }} Received */
/** @typedef {ReturnType<typeof requestOf>} Sent */

const words = strings.apiPage;
const OF_USE = ["content-type", "etag", "location", "link", "allow", "retry-after", "x-request-id"];
const LONGEST = 300_000; // characters of an answer that are shown

/** @param {{ operation: Operation }} props */
export function TryIt({ operation }) {
  const { method, parameters, isStream } = operation;
  const [values, setValues] = useState(/** @type {Record<string, string>} */ ({}));
  const [body, setBody] = useState(operation.body?.example ?? "");
  const [asking, setAsking] = useState(false);
  const { busy, received, error, send, stop } = useSending(operation, values, body);
  const sent = requestOf(operation, values);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (method === "GET") void send();
    else setAsking(true);
  };
  const curl = () => curlOf(method, addressOf(sent), headersOf(operation, sent), operation.body ? body : "");
  if (isStream) return html`<section class="panel"><p>${words.stream}</p><pre><code>${curl().replace("curl -s", "curl -sN")}</code></pre></section>`;
  return html`<section class="panel" aria-label=${words.tryIt}>
    <h3>${words.tryIt}</h3>
    <form class="try" onSubmit=${submit}>
      ${parameters.map(({ name, required, example }) => html`<label key=${name}><span>${name}</span>
        <input name=${name} required=${required} value=${values[name] ?? ""} placeholder=${example} autocomplete="off" spellcheck=${false}
          onInput=${(/** @type {InputEvent} */ event) => setValues({ ...values, [name]: /** @type {HTMLInputElement} */ (event.currentTarget).value })} />
      </label>`)}
      ${operation.body && html`<label class="try-body"><span>${words.body}</span>
        <textarea name="body" rows="8" spellcheck=${false} value=${body} onInput=${(/** @type {InputEvent} */ event) => setBody(/** @type {HTMLTextAreaElement} */ (event.currentTarget).value)}></textarea>
      </label>`}
      <div class="chips">
        <button class=${method === "GET" ? "primary" : "danger"} disabled=${busy}>${busy ? words.sending : words.send}</button>
        ${busy && html`<button type="button" onClick=${stop}>${words.stop}</button>`}
        <${CopyButton} name=${words.copyCurl} text=${curl} />
      </div>
    </form>
    ${asking && html`<${Asking} method=${method} sent=${sent} onClose=${() => setAsking(false)} onSend=${send} />`}
    <${Problem} error=${error} />
    ${received && html`<${Shown} received=${received} />`}
  </section>`;
}

/** @param {Operation} operation @param {Record<string, string>} values @param {string} body */
function useSending(operation, values, body) {
  const [busy, setBusy] = useState(false);
  const [received, setReceived] = useState(/** @type {Received | undefined} */ (undefined));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const ending = useRef(/** @type {AbortController | undefined} */ (undefined));
  const send = async () => {
    const sent = requestOf(operation, values);
    if (sent.missing) return setError(new Error(words.missing(sent.missing)));
    setBusy(true);
    setError(undefined);
    setReceived(undefined);
    ending.current = new AbortController();
    const options = { method: operation.method, query: sent.query, headers: headersOf(operation, sent), signal: ending.current.signal };
    try {
      setReceived(await request(ROOT + sent.path.slice(1), operation.body ? { ...options, text: body } : options));
    } catch (failure) {
      if (failure instanceof ApiError && failure.status > 0) setReceived(failure);
      else if (!isAbort(failure)) setError(failure);
    }
    setBusy(false);
    return undefined;
  };
  return { busy, received, error, send, stop: () => ending.current?.abort() };
}

/** @param {Operation} operation @param {Sent} sent @returns {Record<string, string>} */
function headersOf({ method, body }, { headers }) {
  return method === "GET" ? headers : { ...headers, "content-type": body?.type ?? "application/json" };
}

/** @param {Sent} sent */
function addressOf({ path, query }) {
  return new URL(ROOT + path.slice(1) + queryText(query), location.href).href;
}

/** @param {{ method: string, sent: Sent, onClose: () => void, onSend: () => void }} props */
function Asking({ method, sent, onClose, onSend }) {
  const run = () => {
    onClose();
    onSend();
  };
  const action = html`<button type="button" class="danger" onClick=${run}>${words.send}</button>`;
  return html`<${Dialog} title=${words.tryIt} onClose=${onClose} actions=${action}>
    <p>${words.ask}</p>
    <p><strong>${method}</strong> <code><${Text} text=${addressOf(sent)} /></code></p>
  <//>`;
}

/** @param {{ received: Received }} props */
function Shown({ received }) {
  const { status, headers, text, data } = received;
  const good = status < 400;
  return html`<div class="try-answer" role="status">
    <h3>${words.answer}: <span class=${`status tone-${good ? "closed" : "failed"}`}><span class="icon" aria-hidden="true">${good ? "✔" : "✖"}</span>${status}</span></h3>
    <dl>${OF_USE.map((name) => {
      const found = headers.get(name);
      return found !== null && html`<dt key=${name}>${name}</dt><dd><${Text} text=${found} /></dd>`;
    })}</dl>
    ${bodyOf(text, data)}
  </div>`;
}

/** @param {string} text @param {any} data */
function bodyOf(text, data) {
  if (text === "") return html`<p class="faint">${words.noBody}</p>`;
  if (data !== undefined) return html`<${JsonText} text=${text} />`;
  return html`<pre class="json"><code><bdi>${visible(text.slice(0, LONGEST))}</bdi></code></pre>`;
}
