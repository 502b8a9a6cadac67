// Which jobs: the list, filtered, and live.

import { View } from "./view.js";

export const page = { title: "Jobs", route: "jobs", key: "j", View };
