// A new workflow, from YAML or JSON. Its route is not below workflows/, where each name may be that of a workflow.

import { strings } from "../../lib/strings.en.js";
import { View } from "./view.js";

export const page = { title: strings.workflows.create, route: "new-workflow", View };
