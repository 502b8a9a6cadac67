// What the APIs of this service can do: their documents, searchable, and each operation to be tried.

import { strings } from "../../lib/strings.en.js";
import { View } from "./view.js";

export const page = { title: strings.apiPage.title, route: "api", key: "a", View };
