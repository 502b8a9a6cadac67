// What pages are written with: templates, hooks and signals.

import { h } from "preact";
import htm from "htm";

/** Makes elements from a template: html`<p>${text}</p>`. What is put in is text, never markup. */
export const html = /** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */ (/** @type {any} */ (htm).bind(h));
