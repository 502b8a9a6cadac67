// What happened: the log of events, live and back in time.

import { strings } from "../../lib/strings.en.js";
import { View } from "./view.js";

export const page = { title: strings.events.title, route: "events", key: "e", View };
