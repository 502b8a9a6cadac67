// Who has done what an event tells.

import { strings } from "./strings.en.js";

/** As far as the event tells: a rule, or whoever reported. @param {import("./live_stream.js").LiveEvent} event */
export function whoOf({ action, cause, job }) {
  const rule = /** @type {{ rule?: unknown } | undefined} */ (cause)?.rule;
  if (typeof rule === "string") return strings.events.rule(rule);
  if (cause !== undefined) return JSON.stringify(cause);
  return action === "UPDATE_STATUS" ? (job.reporter ?? "") : "";
}
