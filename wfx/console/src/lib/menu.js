// A menu: a button that opens a small panel, which Escape and a click elsewhere close again.

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "./html.js";

/** @param {{ title: string, children?: any }} props `children` are made anew each time it is opened */
export function Menu({ title, children }) {
  const menu = useRef(/** @type {HTMLDetailsElement | null} */ (null));
  const [open, setOpen] = useState(false);
  useEffect(() => (open && menu.current ? closing(menu.current) : undefined), [open]);
  return html`<details class="menu" ref=${menu} onToggle=${() => setOpen(menu.current?.open ?? false)}>
    <summary>${title}</summary>
    ${open && html`<div class="menu-content">${children}</div>`}
  </details>`;
}

/** Has a menu closed by a click elsewhere, and by Escape, which gives the focus back; returns what ends that. @param {HTMLDetailsElement} menu */
function closing(menu) {
  const ending = new AbortController();
  const { signal } = ending;
  document.addEventListener("pointerdown", ({ target }) => {
    if (target instanceof Node && !menu.contains(target)) menu.open = false;
  }, { signal });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }, { signal, capture: true });
  return () => ending.abort();
}
