// A list that comes page by page, each told by the one before where it begins.

import { signal } from "@preact/signals";
import { isAbort } from "./api.js";

/** @template Row @typedef {{ content: Row[], next?: string, position?: string }} Page */

/** @template Row */
export class PagedList {
  /** @param {(after: string, signal: AbortSignal) => Promise<Page<Row>>} read */
  constructor(read) {
    this.read = read;
    /** Increased with each change of the rows, which are changed in place. */
    this.version = signal(0);
    this.loading = signal(false);
    this.error = signal(/** @type {unknown} */ (undefined));
    /** @type {Row[]} */
    this.rows = [];
    this.next = "";
    this.complete = false;
    /** The position of the first page: changes after it are to be followed. */
    this.position = "";
    this.ending = new AbortController();
    /** @type {Promise<void> | undefined} */
    this.running = undefined;
  }

  /** Reads until there are so many rows, or all. @param {number} count @returns {Promise<void>} */
  async need(count) {
    if (this.running) await this.running;
    if (this.complete || this.rows.length >= count || this.running || this.error.peek()) return; // whoever tries again makes a new list
    this.running = this.readUntil(count);
    await this.running;
    this.running = undefined;
  }

  /** @param {number} count */
  async readUntil(count) {
    this.loading.value = true;
    const { signal: ended } = this.ending;
    try {
      while (!this.complete && this.rows.length < count) {
        const page = await this.read(this.next, ended);
        this.position ||= page.position ?? "";
        this.rows.push(...page.content);
        this.next = page.next ?? "";
        this.complete = !page.next;
        this.version.value += 1;
      }
      this.error.value = undefined;
    } catch (error) {
      if (!isAbort(error)) this.error.value = error;
    } finally {
      this.loading.value = false;
    }
  }

  /** Ends what is being read. */
  close() {
    this.ending.abort();
  }
}
