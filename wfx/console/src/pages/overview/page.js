// Does anything need me? What the fleet is at, and what waits for a person.

import { View } from "./view.js";

export const page = { title: "Overview", route: "overview", key: "o", View };
