// One script: its source, a run that touches nothing, its versions, and what rules ran.

import { strings } from "../../lib/strings.en.js";
import { View } from "./view.js";

export const page = { title: strings.rules.script, route: "rules/scripts/:name", View };
