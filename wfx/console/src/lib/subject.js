// The state of a page about one thing: read whole, followed, and read anew once something has happened to it.

import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { get, isAbort } from "./api.js";
import { Latest } from "./latest.js";
import { follow } from "./live.js";
import { Soon } from "./soon.js";

/** @typedef {import("./live.js").LiveEvent} LiveEvent */

const BETWEEN_READS = 500; // milliseconds

export class Subject {
  /** @param {string} id @param {string} list the address of a list of such things, which tells where the log of events is */
  constructor(id, list) {
    this.id = id;
    this.list = list;
    this.error = signal(/** @type {unknown} */ (undefined));
    this.ending = new AbortController();
    this.reading = new Soon(() => void this.read(), BETWEEN_READS);
    this.answers = new Latest();
    this.stopFollowing = () => {};
  }

  /** Reads all, and follows it. */
  async start() {
    const { signal: ended } = this.ending;
    try {
      // The position comes first: what happens meanwhile is read once more, and nothing is missed.
      const { position } = await get(this.list, { limit: 1 }, ended);
      await this.read();
      if (ended.aborted) return;
      this.stopFollowing();
      this.stopFollowing = follow({ since: position, onEvents: (events) => this.apply(events), onLost: () => void this.start() });
    } catch (error) {
      if (!isAbort(error)) this.fail(error);
    }
  }

  close() {
    this.ending.abort();
    this.reading.close();
    this.stopFollowing();
  }

  /** Reads it anew, and shows it unless something newer is shown already. */
  async read() {
    try {
      const found = await this.answers.of(() => this.load(this.ending.signal));
      if (found === undefined) return;
      this.error.value = undefined;
      this.show(found);
    } catch (error) {
      if (!isAbort(error)) this.fail(error);
    }
  }

  /** Asks the service for it. @param {AbortSignal} _ended @returns {Promise<any>} */
  async load(_ended) {}

  /** Shows what the service has answered. @param {any} _found */
  show(_found) {}

  /** @param {unknown} error */
  fail(error) {
    this.error.value = error;
  }

  /** Looks at what has happened. @param {LiveEvent[]} _events */
  apply(_events) {}
}

/** The state of a page, from its beginning to its end. @template {Subject} State @param {new (id: string) => State} Kind @param {string} id */
export function useSubject(Kind, id) {
  const state = useMemo(() => new Kind(id), [id]);
  useEffect(() => {
    void state.start();
    return () => state.close();
  }, [state]);
  return state;
}
