// What happened to one job.

import { View } from "./view.js";

export const page = { title: "Job", route: "jobs/:id", View };
