// Dialogs: the browser's own, which keep the focus inside and give it back.

import { useEffect, useRef } from "preact/hooks";
import { html } from "./html.js";
import { strings } from "./strings.en.js";

/** @param {{ title: string, onClose: () => void, children?: any, actions?: any, wide?: boolean }} props */
export function Dialog({ title, onClose, children, actions, wide = false }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return html`<dialog
    ref=${dialog}
    class=${wide ? "wide" : ""}
    aria-labelledby="dialog-title"
    onCancel=${(/** @type {Event} */ event) => {
      event.preventDefault();
      onClose();
    }}
  >
    <h2 id="dialog-title">${title}</h2>
    <div class="dialog-content">${children}</div>
    <div class="dialog-actions">
      ${actions}<button type="button" onClick=${onClose}>${actions ? strings.dialog.cancel : strings.dialog.close}</button>
    </div>
  </dialog>`;
}
