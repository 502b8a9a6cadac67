// The menu of saved views: links, each of which can be renamed and deleted, and a field that saves the present one.

import { useState } from "preact/hooks";
import { html } from "../../lib/html.js";
import { Menu } from "../../lib/menu.js";
import { href, place } from "../../lib/router.js";
import { strings } from "../../lib/strings.en.js";
import { Short } from "../../lib/text.js";
import { deleteView, LONGEST, renameView, savedViews, saveView } from "./saved_views.js";

/** @typedef {import("./saved_views.js").SavedView} SavedView */

const words = strings.jobs.views;

export function SavedViewsMenu() {
  return html`<${Menu} title=${words.title}><${Views} /><//>`;
}

function Views() {
  const [views, setViews] = useState(() => savedViews());
  const query = place.value.query.toString();
  return html`<ul>
      ${views.map((view) => html`<${Entry} key=${view.name} view=${view} present=${view.query === query} setViews=${setViews} />`)}
    </ul>
    <${NameForm} label=${words.name} button=${words.save} take=${(/** @type {string} */ name) => setViews(saveView({ name, query }))} />`;
}

/** @param {{ view: SavedView, present: boolean, setViews: (views: SavedView[]) => void }} props */
function Entry({ view: { name, query }, present, setViews }) {
  const [renaming, rename] = useState(false);
  if (renaming) {
    const take = (/** @type {string} */ given) => {
      setViews(renameView(name, given));
      rename(false); // the entry stays if it keeps its name
    };
    return html`<li><${NameForm} label=${words.newName} button=${words.rename} before=${name} take=${take} /></li>`;
  }
  return html`<li>
    <a href=${href(query ? `jobs?${query}` : "jobs")} aria-current=${present ? "true" : undefined}><${Short} text=${name} /></a>
    <button type="button" class="plain" aria-label=${`${words.rename} ${name}`} onClick=${() => rename(true)}>✎</button>
    <button type="button" class="plain" aria-label=${`${words.remove} ${name}`} onClick=${() => setViews(deleteView(name))}>×</button>
  </li>`;
}

/** @param {{ label: string, button: string, before?: string, take: (name: string) => void }} props */
function NameForm({ label, button, before = "", take }) {
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const name = String(new FormData(form).get("name") ?? "").trim();
    if (name) take(name);
    form.reset();
  };
  return html`<form class="adding" onSubmit=${submit}>
    <input name="name" required autocomplete="off" maxlength=${LONGEST} aria-label=${label} placeholder=${label} defaultValue=${before} />
    <button type="submit">${button}</button>
  </form>`;
}
