// Jobs as CSV (RFC 4180), read page by page.

import { get } from "../../lib/api.js";
import { FLEET } from "../../lib/base.js";
import { conditions } from "./filters.js";

/** @typedef {import("./filters.js").Filters} Filters */
/** @typedef {import("./state.js").Row} Row */
/** @typedef {{ parts: string[], jobs: number, complete: boolean }} Written */

const PAGE = 1000;
export const MOST = 100_000; // jobs of a file
const NAMES = /** @type {const} */ (["id", "clientId", "workflow", "group", "state", "progress", "message", "tags", "stime", "mtime"]);

/** A cell: text that a spreadsheet would take for a formula begins with an apostrophe. @param {unknown} value */
export function cell(value) {
  if (typeof value === "number") return String(value);
  const text = Array.isArray(value) ? value.join(", ") : String(value ?? "");
  return `"${(/^[\s\u0000]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}

/** @param {readonly Partial<Row>[]} rows */
export function lines(rows) {
  return rows.map((row) => `${NAMES.map((name) => cell(row[name])).join(",")}\r\n`).join("");
}

/**
 * Reads the jobs that meet filters, up to MOST, in the order of the list.
 * @param {Filters} filters @param {AbortSignal} ended @param {(jobs: number) => void} tell after each page
 * @param {typeof get} [read] @returns {Promise<Written>}
 */
export async function write(filters, ended, tell, read = get) {
  const parts = [`\ufeff${NAMES.join(",")}\r\n`]; // with the mark by which spreadsheets know UTF-8
  let jobs = 0;
  for (let after = ""; ; ) {
    const limit = Math.min(PAGE, MOST - jobs);
    const page = await read(`${FLEET}/jobs`, { ...conditions(filters), sort: filters.sort, limit, after }, ended);
    parts.push(lines(page.content));
    jobs += page.content.length;
    tell(jobs);
    after = page.next ?? "";
    if (!after || jobs >= MOST) return { parts, jobs, complete: !after };
  }
}
