// What the list of devices is filtered by: kept in the address, and sent to the service.

/**
 * @typedef {object} Filters
 * @property {string} client the beginning of client ids
 * @property {string[]} label
 * @property {string[]} attribute each as name:value
 * @property {string} unseen a duration as P1D
 * @property {string} version
 * @property {string} filter an expression
 * @property {"asc" | "desc"} sort by client ids
 */

export const ONE = /** @type {const} */ (["unseen", "version", "filter"]);
export const MANY = /** @type {const} */ (["label", "attribute"]);

/** Reads them from the query of an address. @param {URLSearchParams} query @returns {Filters} */
export function filtersOf(query) {
  const one = (/** @type {string} */ name) => query.get(name) ?? "";
  return {
    client: one("client"),
    label: query.getAll("label").filter(Boolean),
    attribute: query.getAll("attribute").filter(Boolean),
    unseen: one("unseen"),
    version: one("version"),
    filter: one("filter"),
    sort: one("sort") === "desc" ? "desc" : "asc",
  };
}

/** As the service takes them. @param {Filters} filters @returns {Record<string, string | string[]>} */
export function conditions({ client, label, attribute, unseen, version, filter, sort }) {
  return { clientIdPrefix: client, label, attribute, notSeenFor: unseen, version, filter, sort };
}

/** Tells whether any is about more than the client id. @param {Filters} filters */
export function isNarrow(filters) {
  return ONE.some((name) => filters[name]) || MANY.some((name) => filters[name].length > 0);
}

/**
 * Tells whether a device that nobody has read yet belongs among the rows that are loaded. What a client is like
 * beside its id is not known from events.
 * @param {Filters} filters @param {string} client @param {string | undefined} last the last client id that is loaded @param {boolean} complete
 */
export function belongs(filters, client, last, complete) {
  if (isNarrow(filters) || !client.startsWith(filters.client)) return false;
  return complete || last === undefined || (filters.sort === "asc" ? client < last : client > last);
}
