// Which workflows there are, and how the jobs of each do.

import { strings } from "../../lib/strings.en.js";
import { View } from "./view.js";

export const page = { title: strings.workflows.title, route: "workflows", key: "w", View };
