// The one HTTP client: JSON in, JSON out, and errors that say what to do.

import { strings } from "./strings.en.js";

/**
 * @typedef {object} Options
 * @property {string} [method] GET unless said otherwise
 * @property {Record<string, string | number | boolean | readonly string[] | undefined>} [query] lists get commas
 * @property {unknown} [body] sent as JSON
 * @property {string} [text] a body that is JSON already; numbers of any size stay as they are
 * @property {Record<string, string>} [headers] besides, or in place of, those that each request has
 * @property {string} [ifMatch] an ETag that what is changed must have still
 * @property {string} [idempotencyKey] by which a request that was broken off can be sent again
 * @property {AbortSignal} [signal] ends the request
 */

/** @typedef {{ data: any, text: string, etag: string, status: number, headers: Headers }} Answer the document, and as it was sent */

/** A request that was not carried out, for whatever reason. */
export class ApiError extends Error {
  /** @param {number} status 0 if there was no answer @param {string} message @param {string} code @param {any} [data] @param {number} [retryAfter] */
  constructor(status, message, code, data, retryAfter = 0) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.data = data;
    /** Seconds after which it makes sense to try again; 0 if nobody knows. */
    this.retryAfter = retryAfter;
    /** What the reader can do about it. */
    this.advice = advice(status, retryAfter);
    /** What was sent; nothing if there was no answer. */
    this.text = "";
    this.headers = new Headers();
  }
}

/** Writes a list as one parameter: commas between items, those in items escaped. @param {readonly string[]} items */
export function list(items) {
  return items.map((item) => item.replace(/[\\,]/g, "\\$&")).join(",");
}

/** @param {NonNullable<Options["query"]>} query */
export function queryText(query) {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === "" || (Array.isArray(value) && value.length === 0)) continue;
    found.set(name, Array.isArray(value) ? list(value) : String(value));
  }
  const text = found.toString();
  return text && `?${text}`;
}

/**
 * Sends a request. Throws ApiError, or AbortError once the signal ends it.
 * @param {string} path from the root of the server; see base.js
 * @param {Options} [options]
 * @returns {Promise<Answer>}
 */
export async function request(path, options = {}) {
  const { method = "GET", query = {}, body, text: given, ifMatch, idempotencyKey, signal, headers: more = {} } = options;
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json" };
  const sent = given ?? (body === undefined ? null : JSON.stringify(body));
  // Also without a body: what is not of this type, the service takes for a form of some other page.
  if (method !== "GET") headers["content-type"] = "application/json";
  if (ifMatch) headers["if-match"] = ifMatch;
  if (idempotencyKey) headers["idempotency-key"] = idempotencyKey;
  for (const [name, value] of Object.entries(more)) headers[name.toLowerCase()] = value;
  let response, text;
  try {
    response = await fetch(path + queryText(query), {
      method,
      headers,
      body: sent,
      signal: signal ?? null,
    });
    text = await response.text();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, strings.errors.noAnswer, "");
  }
  const data = parsed(text);
  if (!response.ok) throw errorOf(response, data, text);
  return { data, text, etag: response.headers.get("etag") ?? "", status: response.status, headers: response.headers };
}

/** Reads a document. @param {string} path @param {Options["query"]} [query] @param {AbortSignal} [signal] */
export async function get(path, query, signal) {
  return (await request(path, { query: query ?? {}, ...(signal && { signal }) })).data;
}

/** Tells whether an error only says that nobody waits any more. @param {unknown} error */
export function isAbort(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/** A key of a request that may be sent again. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {Response} response @param {any} data @param {string} text */
function errorOf(response, data, text) {
  const first = data?.errors?.[0];
  const message = first?.message ?? data?.detail ?? data?.error ?? data?.title ?? text.trim();
  const seconds = Number(response.headers.get("retry-after")) || 0;
  const shown = typeof message === "string" && message ? message.slice(0, 2000) : `${response.status} ${response.statusText}`;
  const error = new ApiError(response.status, shown, String(first?.code ?? ""), data, seconds);
  return Object.assign(error, { text, headers: response.headers });
}

/** @param {number} status @param {number} retryAfter */
function advice(status, retryAfter) {
  const known = /** @type {Record<number, string>} */ (strings.errors.advice);
  if (retryAfter > 0) return strings.errors.later(retryAfter);
  return known[status] ?? (status >= 500 ? strings.errors.failure : "");
}
