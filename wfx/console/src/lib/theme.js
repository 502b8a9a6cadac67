// Light, dark, or as the system: kept in this browser.

import { signal } from "@preact/signals";

/** @typedef {"auto" | "light" | "dark"} Theme */

const NAME = "wfx-theme";
const ORDER = /** @type {const} */ (["auto", "light", "dark"]);

export const theme = signal(/** @type {Theme} */ ("auto"));

/** Whether the system asks for dark colours; what is drawn on a canvas has to be drawn anew then. */
export const dark = signal(false);

export function startTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  dark.value = system.matches;
  system.addEventListener("change", () => (dark.value = system.matches));
  let kept = null;
  try {
    kept = localStorage.getItem(NAME);
  } catch {
    // a browser that keeps nothing
  }
  theme.value = ORDER.find((each) => each === kept) ?? "auto";
  theme.subscribe((value) => {
    if (value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
    try {
      localStorage.setItem(NAME, value);
    } catch {
      // as above
    }
  });
}

export function nextTheme() {
  theme.value = ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length] ?? "auto";
}
