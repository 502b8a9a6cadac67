// The start of the console.

import { render } from "preact";
import { html } from "./lib/html.js";
import { startKeyboard } from "./lib/keyboard.js";
import { startRouter } from "./lib/router.js";
import { startClock } from "./lib/text.js";
import { startTheme } from "./lib/theme.js";
import { Shell } from "./shell/shell.js";

startTheme();
startRouter();
startKeyboard();
startClock();
// A page that the browser had put aside has lost its events.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
const app = document.getElementById("app");
if (app) render(html`<${Shell} />`, app);
