// One device: what is known of it, and its jobs over time.

import { strings } from "../../lib/strings.en.js";
import { View } from "./view.js";

export const page = { title: strings.device.title, route: "devices/:id", View };
