// What nothing uses is not kept: strings, exports, and classes and ids of style sheets.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "node:test";
import { strings } from "./lib/strings.en.js";

const root = fileURLToPath(new URL(".", import.meta.url));
const names = readdirSync(root, { recursive: true, encoding: "utf8" });
const sourceOf = (/** @type {string} */ name) => readFileSync(root + name, "utf8");
const scripts = new Map(names.filter((name) => name.endsWith(".js") && name !== "unused.test.js").map((name) => [name, sourceOf(name)]));
const pages = [...scripts].filter(([name]) => !name.endsWith(".test.js") && name !== "lib/strings.en.js").map(([, text]) => text);

/** All strings, as `page.part.name`. @param {object} table @param {string} above @returns {string[]} */
function pathsOf(table, above) {
  return Object.entries(table).flatMap(([name, value]) =>
    typeof value === "object" ? pathsOf(value, `${above}.${name}`) : [`${above}.${name}`],
  );
}

/** The strings that a source names, also by constants for parts of the table: a part is followed by a dot. @param {string} text */
function namedIn(text) {
  const parts = new Map([["strings", "strings"]]);
  const full = (/** @type {string} */ path) => path.replace(/^\w+/, (first) => parts.get(first) ?? first);
  const rest = text.replace(/const (\w+) = ((?:strings|words)(?:\.\w+)+);/g, (_whole, name, path) => {
    parts.set(name, full(path));
    return "";
  });
  const chains = rest.match(new RegExp(`(?<![\\w.])(?:${[...parts.keys()].join("|")})(?:(?:\\.\\w+)+|(?=\\[))`, "g")) ?? [];
  return chains.map(full);
}

test("each string is shown somewhere", () => {
  const named = new Set(pages.flatMap(namedIn));
  /** @type {(path: string) => boolean} */
  const isNamed = (path) => named.has(path) || (path.includes(".") && isNamed(path.slice(0, path.lastIndexOf("."))));
  const all = pathsOf(strings, "strings");
  assert.ok(all.length > 300);
  assert.deepEqual(all.filter((path) => !isNamed(path)), []);
});

test("each export is imported somewhere", () => {
  const lists = [...scripts.values()].flatMap((text) => [...text.matchAll(/import \{([^}]*)\}/g)].map(([, list = ""]) => list));
  const imported = new Set(lists.flatMap((list) => list.split(",").map((each) => each.trim().split(" ")[0])));
  const exports = /^export (?:async )?(?:function|class|const|let) (\w+)/gm;
  const exported = [...scripts].flatMap(([file, text]) => [...text.matchAll(exports)].map(([, name = ""]) => ({ file, name })));
  assert.ok(exported.length > 150);
  assert.deepEqual(exported.filter(({ name }) => !imported.has(name)), []);
});

test("each class and id of a style sheet is on some element", () => {
  const text = [...pages, sourceOf("index.html")].join("\n");
  const sheets = names.filter((name) => name.endsWith(".css"));
  // Blocks of rules and strings are left out.
  const selectors = sheets.flatMap((name) => sourceOf(name).replace(/\/\*[^]*?\*\/|\{[^{}]*\}|"[^"]*"/g, " ").match(/[.#][a-z][\w-]*/g) ?? []);
  // Also where its end is put in, as in `tone-${tone}`.
  const isThere = (/** @type {string} */ name) => new RegExp(`(?<![\\w-])${name}(?![\\w-])|(?<![\\w-])${name.replace(/-\w+$/, "")}-?\\$\\{`).test(text);
  assert.ok(selectors.length > 200);
  assert.deepEqual([...new Set(selectors)].filter((selector) => !isThere(selector.slice(1))), []);
});
