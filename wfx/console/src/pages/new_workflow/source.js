// The text of a workflow, YAML or JSON: its value, and on which line each part of it stands.

import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument, stringify } from "yaml";
import { strings } from "../../lib/strings.en.js";

/** @typedef {readonly (string | number)[]} Place where in a document: `["transitions", 3, "to"]` */
/** @typedef {{ message: string, line: number }} Fault */
/**
 * @typedef {object} Source
 * @property {any} value undefined if the text cannot be read
 * @property {Fault[]} faults what is wrong with the text as YAML
 * @property {(place: Place) => number} lineOf the line, from 1 on, of a place or of what it is in
 */

const words = strings.workflows;

/** @param {string} text @returns {Source} */
export function read(text) {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, version: "1.2" });
  const line = (/** @type {number} */ offset) => Math.max(1, counter.linePos(offset).line);
  const faults = document.errors.map(({ message, pos }) => ({ message, line: line(pos[0]) }));
  const lineOf = (/** @type {Place} */ place) => line(offsetOf(document, place));
  if (faults.length > 0) return { value: undefined, faults, lineOf };
  try {
    const value = document.toJS({ maxAliasCount: 100 });
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return { value, faults, lineOf };
    faults.push({ message: words.notAMapping, line: 1 });
  } catch (error) {
    faults.push({ message: error instanceof Error ? error.message : String(error), line: 1 });
  }
  return { value: undefined, faults, lineOf };
}

/** Writes a document as YAML. @param {unknown} value */
export function write(value) {
  return stringify(value, { aliasDuplicateObjects: false });
}

/** Where a place begins in the text: its key, if it has one. @param {import("yaml").Document} document @param {Place} place */
function offsetOf(document, place) {
  let node = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const step of place) {
    if (isAlias(node)) node = /** @type {typeof node} */ (/** @type {unknown} */ (node.resolve(document) ?? null));
    /** @type {any} */
    let next;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!pair) return offset;
      offset = /** @type {any} */ (pair.key).range?.[0] ?? offset;
      next = pair.value;
    } else if (isSeq(node)) {
      next = node.items[Number(step)];
      if (!next) return offset;
      offset = next.range?.[0] ?? offset;
    } else return offset;
    node = next;
  }
  return offset;
}
