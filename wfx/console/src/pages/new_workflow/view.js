import { useEffect, useMemo, useState } from "preact/hooks";
import { ApiError, get, isAbort, request } from "../../lib/api.js";
import { API } from "../../lib/base.js";
import { Graph } from "../../lib/graph/view.js";
import { html } from "../../lib/html.js";
import { Problem } from "../../lib/problem.js";
import { navigate } from "../../lib/router.js";
import { strings } from "../../lib/strings.en.js";
import { value } from "../../lib/url_state.js";
import { Editor } from "./editor.js";
import { saidBy } from "./faults.js";
import { drawable } from "./shape.js";
import { read, write } from "./source.js";

/** @typedef {import("./source.js").Fault} Fault */

const words = strings.workflows;
const START = `name: my.workflow
states:
  - name: OPEN
  - name: DONE
groups:
  - name: CLOSED
    states: [DONE]
transitions:
  - from: OPEN
    to: DONE
    eligible: CLIENT
`;
const PAUSE = 300; // milliseconds without a key before the text is read

export function View() {
  const like = value("like");
  const [text, setText] = useState(like ? "" : START);
  const [refused, setRefused] = useState(/** @type {Fault[]} */ ([]));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const [busy, setBusy] = useState(false);
  useExample(like, setText, setError);
  const settled = useSettled(text);
  const source = useMemo(() => read(settled), [settled]);
  const shape = useMemo(() => drawable(source.value), [source]);
  const change = (/** @type {string} */ next) => {
    setText(next);
    setRefused([]);
    setError(undefined);
  };
  const send = async () => {
    const now = read(text);
    if (now.value === undefined) return setRefused(now.faults);
    setBusy(true);
    try {
      const { data } = await request(`${API}/workflows`, { method: "POST", body: now.value });
      navigate(`workflows/${encodeURIComponent(data.name)}`);
    } catch (failure) {
      setBusy(false);
      if (!(failure instanceof ApiError) || failure.status !== 400) return setError(failure);
      setRefused(saidBy(failure, now.value).map(({ message, place }) => ({ message, line: now.lineOf(place) })));
    }
    return undefined;
  };
  return html`
    <div class="heading"><h1>${words.create}</h1>
      <button type="button" class="primary" disabled=${busy} onClick=${send}>${words.send}</button>
    </div>
    <${Problem} error=${error} />
    <${Editor} text=${text} faults=${refused.length > 0 ? refused : source.faults} onText=${change} />
    ${shape && html`<section><h2>${words.preview}</h2><${Graph} label=${words.preview} workflow=${shape} /></section>`}
  `;
}

/** Begins with the definition of another workflow. @param {string} name @param {(text: string) => void} setText @param {(error: unknown) => void} setError */
function useExample(name, setText, setError) {
  useEffect(() => {
    const ending = new AbortController();
    if (name) {
      get(`${API}/workflows/${encodeURIComponent(name)}`, undefined, ending.signal).then(
        (found) => setText(write(found)),
        (failure) => isAbort(failure) || setError(failure),
      );
    }
    return () => ending.abort();
  }, [name]);
}

/** A text once it has not changed for a while. @param {string} text */
function useSettled(text) {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
