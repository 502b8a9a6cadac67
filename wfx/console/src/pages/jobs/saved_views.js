// Views that the reader has given names: kept in this browser, in the order of their names.

/** @typedef {{ name: string, query: string }} SavedView */
/** @typedef {Pick<Storage, "getItem" | "setItem">} Store */

const NAME = "wfx-jobs-views";
export const LONGEST = 80; // characters of a name

/** What is kept; nothing where the browser keeps nothing, or something else. @param {Store} [store] @returns {SavedView[]} */
export function savedViews(store) {
  try {
    const found = JSON.parse((store ?? localStorage).getItem(NAME) ?? "[]");
    return Array.isArray(found) ? found.filter((each) => typeof each?.name === "string" && typeof each?.query === "string") : [];
  } catch {
    return [];
  }
}

/** Keeps a view, in place of one of the same name. @param {SavedView} view @param {Store} [store] */
export function saveView(view, store) {
  return keep([...savedViews(store).filter(({ name }) => name !== view.name), view], store);
}

/** Gives a view another name. @param {string} before @param {string} name @param {Store} [store] */
export function renameView(before, name, store) {
  const views = savedViews(store).filter((each) => each.name === before || each.name !== name);
  return keep(views.map((each) => (each.name === before ? { ...each, name } : each)), store);
}

/** @param {string} name @param {Store} [store] */
export function deleteView(name, store) {
  return keep(savedViews(store).filter((each) => each.name !== name), store);
}

/** @param {SavedView[]} views @param {Store} [store] */
function keep(views, store) {
  views.sort((one, other) => one.name.localeCompare(other.name));
  try {
    (store ?? localStorage).setItem(NAME, JSON.stringify(views));
  } catch {
    // a browser that keeps nothing: the views are there until the menu is closed
  }
  return views;
}
