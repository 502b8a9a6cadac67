// OpenAPI documents as lists of operations. No browser: also used by the tests.

/** @typedef {{ name: string, in: string, required: boolean, description: string, type: string, example: string }} Parameter */
/** @typedef {{ path: string, type: string, required: boolean, description: string }} Member of a body: `content[].id` */
/** @typedef {{ type: string, members: Member[], example: string }} Content */
/** @typedef {{ status: string, description: string, headers: string[], content: Content | undefined }} AnswerOf */
/**
 * @typedef {object} Operation
 * @property {string} key the method and the whole path; names it in addresses
 * @property {string} method
 * @property {string} path from the root of the service
 * @property {string} tag
 * @property {string} document the title of the document it is from
 * @property {string} summary
 * @property {string} description
 * @property {Parameter[]} parameters
 * @property {Content | undefined} body
 * @property {AnswerOf[]} answers
 * @property {boolean} isStream whether the answer does not end
 * @property {string} words in which a search looks, in lower case
 */

const METHODS = ["get", "post", "put", "patch", "delete"];
const DEEPEST = 6; // members within members
const MOST = 200; // members of a body

/** Follows a reference within the document. @param {any} document @param {any} given @returns {any} */
function resolved(document, given) {
  let found = given;
  for (let steps = 0; typeof found?.$ref === "string" && steps < 10; steps += 1) {
    const names = found.$ref.replace(/^#\//, "").split("/");
    found = names.reduce((/** @type {any} */ at, /** @type {string} */ name) => at?.[name.replace(/~1/g, "/").replace(/~0/g, "~")], document);
  }
  return found ?? {};
}

/** All operations that are served where operators are, in the order of the document. @param {any} document @returns {Operation[]} */
export function operationsOf(document) {
  const base = String(document.servers?.[0]?.url ?? "").replace(/\/$/, "");
  const found = [];
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = /** @type {any} */ (item)[method];
      if (!operation || operation["x-wfx-sides"]?.includes("north") === false) continue;
      found.push(operationOf(document, base + path, method.toUpperCase(), item, operation));
    }
  }
  return found;
}

/** @param {any} document @param {string} path @param {string} method @param {any} item @param {any} operation @returns {Operation} */
function operationOf(document, path, method, item, operation) {
  const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((each) => parameterOf(document, each));
  const answers = Object.entries(operation.responses ?? {}).map(([status, each]) => answerOf(document, status, each));
  const { summary = "", tags = [] } = operation;
  const description = flowing(operation.description ?? "");
  const title = String(document.info?.title ?? "");
  const words = [method, path, summary, description, ...tags, title, ...parameters.map(({ name }) => name)].join(" ").toLowerCase();
  return {
    key: `${method} ${path}`, method, path, tag: tags[0] ?? "", document: title, summary, description, parameters, answers, words,
    body: contentOf(document, resolved(document, operation.requestBody).content),
    isStream: answers.some(({ content }) => content?.type === "text/event-stream"),
  };
}

/** A text whose lines end where paragraphs and items do. @param {string} text */
function flowing(text) {
  return text.trim().replace(/([^\n])\n(?![\n\-*|])/g, "$1 ");
}

/** @param {any} document @param {any} given @returns {Parameter} */
function parameterOf(document, given) {
  const { name = "", in: where = "", required = false, description = "", schema, example } = resolved(document, given);
  const shown = Array.isArray(example) ? example.join(",") : example === undefined ? "" : String(example);
  return { name, in: where, required, description: flowing(description), type: typeOf(document, schema), example: shown };
}

/** @param {any} document @param {string} status @param {any} given @returns {AnswerOf} */
function answerOf(document, status, given) {
  const { description = "", headers = {}, content } = resolved(document, given);
  return { status, description, headers: Object.keys(headers), content: contentOf(document, content) };
}

/** The first kind of content. @param {any} document @param {any} content @returns {Content | undefined} */
function contentOf(document, content) {
  const [type, given] = Object.entries(content ?? {})[0] ?? [];
  if (type === undefined) return undefined;
  const { schema, example, examples } = /** @type {any} */ (given);
  const first = example ?? resolved(document, Object.values(examples ?? {})[0]).value ?? resolved(document, schema).example;
  const text = first === undefined ? "" : typeof first === "string" ? first : JSON.stringify(first, null, 2);
  return { type, members: membersOf(document, schema), example: text };
}

/** All members of a schema, those of members after them. @param {any} document @param {any} schema @returns {Member[]} */
export function membersOf(document, schema) {
  /** @type {Member[]} */
  const found = [];
  const add = (/** @type {any} */ given, /** @type {string} */ path, /** @type {boolean} */ required, /** @type {any[]} */ above) => {
    const each = merged(document, given);
    if (found.length >= MOST || above.length > DEEPEST) return;
    if (path) found.push({ path, type: typeOf(document, given), required, description: each.description ?? "" });
    const origin = resolved(document, given);
    if (above.includes(origin)) return;
    const within = [...above, origin];
    if (each.items) {
      const items = merged(document, each.items);
      if (items.properties) addAll(items, `${path}[]`, [...within, resolved(document, each.items)]);
    }
    addAll(each, path, within);
  };
  const addAll = (/** @type {any} */ each, /** @type {string} */ path, /** @type {any[]} */ above) => {
    for (const [name, member] of Object.entries(each.properties ?? {})) {
      add(member, path ? `${path}.${name}` : name, each.required?.includes(name) ?? false, above);
    }
  };
  add(schema, "", false, []);
  return found;
}

/** A schema with the members of those it consists of. @param {any} document @param {any} given */
function merged(document, given) {
  const schema = resolved(document, given);
  const parts = [schema, ...(schema.allOf ?? []).map((/** @type {any} */ part) => merged(document, part))];
  const properties = Object.assign({}, ...parts.map(({ properties: own }) => own ?? {}));
  const description = parts.find((part) => part.description)?.description;
  const items = parts.find((part) => part.items)?.items;
  return { description, items, required: parts.flatMap(({ required }) => required ?? []), ...(Object.keys(properties).length > 0 && { properties }) };
}

/** What a value is, in a few words. @param {any} document @param {any} given @returns {string} */
function typeOf(document, given) {
  const schema = resolved(document, given);
  const { type, format, enum: values, items, allOf, minimum, maximum, minLength, maxLength, default: other } = schema;
  if (allOf && !type) return typeOf(document, allOf[0]);
  const kind = type === "array" ? `array of ${typeOf(document, items).split(",")[0]}` : (format ?? type ?? "any");
  const parts = [kind];
  if (values) parts.push(`one of ${values.join(", ")}`);
  if (minimum !== undefined || maximum !== undefined) parts.push(`${minimum ?? "…"} to ${maximum ?? "…"}`);
  if (minLength > 1 || maxLength !== undefined) parts.push(`${minLength ?? 0} to ${maxLength ?? "…"} characters`);
  if (other !== undefined && other !== "" && !Array.isArray(other)) parts.push(`default ${JSON.stringify(other)}`);
  return parts.join(", ");
}

/** Those that have all words of a search. @param {readonly Operation[]} operations @param {string} search */
export function matching(operations, search) {
  const wanted = search.toLowerCase().split(/\s+/).filter(Boolean);
  return operations.filter(({ words }) => wanted.every((word) => words.includes(word)));
}

/**
 * What is to be sent: the values go where their parameters are; empty ones are left out.
 * @param {Operation} operation @param {Record<string, string>} values by name
 * @returns {{ path: string, query: Record<string, string>, headers: Record<string, string>, missing: string }}
 */
export function requestOf(operation, values) {
  let { path } = operation;
  let missing = "";
  /** @type {Record<string, string>} */
  const query = {};
  /** @type {Record<string, string>} */
  const headers = {};
  for (const { name, in: where, required } of operation.parameters) {
    const value = values[name] ?? "";
    if (value === "") {
      if (required) missing ||= name;
    } else if (where === "path") path = path.replace(`{${name}}`, () => encodeURIComponent(value));
    else if (where === "query") query[name] = value;
    else if (where === "header") headers[name] = value;
  }
  return { path, query, headers, missing };
}

/** A command that sends the same. @param {string} method @param {string} address @param {Record<string, string>} headers @param {string} body */
export function curlOf(method, address, headers, body) {
  const quoted = (/** @type {string} */ text) => `'${text.replace(/'/g, `'\\''`)}'`;
  const parts = ["curl", "-s"];
  if (method !== "GET") parts.push("-X", method);
  for (const [name, value] of Object.entries(headers)) parts.push("-H", quoted(`${name}: ${value}`));
  if (body) parts.push("--data-binary", quoted(body));
  return [...parts, quoted(address)].join(" ");
}
