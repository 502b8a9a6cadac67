// How the stream connects in a browser.

/** @typedef {import("./live_stream.js").Parts} Parts */

/** @param {string} events the address of the stream @returns {Parts} */
export function browserParts(events) {
  const at = (/** @type {string} */ since) => `${events}?since=${encodeURIComponent(since)}`;
  return {
    connect: (since) => /** @type {any} */ (new EventSource(at(since))),
    isRefused: async (since) => {
      try {
        const answer = await fetch(`${at(since)}&limit=1`, { headers: { accept: "application/json" } });
        return answer.status === 410 || answer.status === 409 || answer.status === 400;
      } catch {
        return false;
      }
    },
    later: (run, milliseconds) => setTimeout(run, milliseconds),
    now: () => Date.now(),
  };
}
