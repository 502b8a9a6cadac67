// The health of the service, looked at each few seconds.

import { useEffect, useState } from "preact/hooks";
import { ApiError, get, isAbort } from "./api.js";
import { ROOT } from "./base.js";
import { html } from "./html.js";
import { strings } from "./strings.en.js";
import { Short } from "./text.js";

const PAUSE = 10_000; // milliseconds

export function Health() {
  const [state, setState] = useState({ up: true, known: false, why: "" });
  useEffect(() => {
    const ending = new AbortController();
    const look = () =>
      get(`${ROOT}health`, {}, ending.signal).then(
        () => setState({ up: true, known: true, why: "" }),
        (error) => isAbort(error) || setState({ up: false, known: true, why: reasonOf(error) }),
      );
    void look();
    const timer = setInterval(look, PAUSE);
    return () => {
      ending.abort();
      clearInterval(timer);
    };
  }, []);
  if (!state.known) return null;
  return html`<span class=${`count status tone-${state.up ? "closed" : "failed"}`} role="status">
    <span class="icon" aria-hidden="true">${state.up ? "✔" : "✖"}</span>${state.up ? strings.overview.up : strings.overview.down} <${Short} text=${state.why} />
  </span>`;
}

/** @param {unknown} error */
function reasonOf(error) {
  if (!(error instanceof ApiError)) return String(error);
  return error.data?.details?.persistence?.error ?? error.message;
}
