// What rules are there, what failed of what they promised, how much work may begin, and the scripts.

import { strings } from "../../lib/strings.en.js";
import { View } from "./view.js";

export const page = { title: strings.rules.title, route: "rules", key: "r", View };
