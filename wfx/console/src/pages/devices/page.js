// Which devices: the registry, filtered, and live.

import { strings } from "../../lib/strings.en.js";
import { View } from "./view.js";

export const page = { title: strings.devices.title, route: "devices", key: "d", View };
