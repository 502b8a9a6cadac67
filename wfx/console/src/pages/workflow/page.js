// What a workflow looks like, and where its jobs are.

import { strings } from "../../lib/strings.en.js";
import { View } from "./view.js";

export const page = { title: strings.workflows.one, route: "workflows/:name", View };
