// Is the service well? Its version, health and figures, and who is behind.

import { strings } from "../../lib/strings.en.js";
import { View } from "./view.js";

export const page = { title: strings.system.title, route: "system", key: "s", View };
