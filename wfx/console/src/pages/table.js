// All pages of the console: a page is added here, and nowhere else (spec/console.md).

import { page as api } from "./api/page.js";
import { page as device } from "./device/page.js";
import { page as devices } from "./devices/page.js";
import { page as events } from "./events/page.js";
import { page as job } from "./job/page.js";
import { page as jobs } from "./jobs/page.js";
import { page as newWorkflow } from "./new_workflow/page.js";
import { page as overview } from "./overview/page.js";
import { page as rules } from "./rules/page.js";
import { page as script } from "./script/page.js";
import { page as system } from "./system/page.js";
import { page as workflow } from "./workflow/page.js";
import { page as workflows } from "./workflows/page.js";

/**
 * @typedef {object} Page
 * @property {string} title in the title bar, and in the navigation
 * @property {string} route below `/ui/`; a segment that begins with a colon is a parameter
 * @property {(props: any) => any} View gets the parameters of its route
 * @property {string} [key] the key after `g` that goes there; a page with a key is in the navigation
 */

/** @type {readonly Page[]} in the order of the navigation */
export const pages = [overview, jobs, job, devices, device, workflows, workflow, newWorkflow, events, rules, script, system, api];

/** What `/ui/` itself shows. */
export const first = overview;
