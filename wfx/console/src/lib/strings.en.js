// All that people read, in English.

/** @param {number} count @param {string} one @param {string} [many] */
function counted(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** @param {number} value */
export function number(value) {
  return value.toLocaleString("en");
}

export const strings = {
  counted,
  product: "wfx",
  skip: "Skip to the content",
  notFound: "There is no such page.",
  toJobs: "Show the jobs",
  search: "Search",
  searchHint: "Job id, or the beginning of a client id (/)",
  theme: { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" },
  live: {
    live: "live",
    connecting: "connecting",
    /** @param {number} seconds */
    reconnecting: (seconds) => (seconds > 0 ? `reconnecting in ${seconds} s` : "reconnecting"),
    paused: "paused",
    pause: "Stop showing changes as they come",
    resume: "Show changes as they come again",
  },
  time: {
    now: "now",
    never: "never",
    /** @param {string} ago */
    ago: (ago) => `${ago} ago`,
  },
  more: "more",
  less: "less",
  loading: "Loading …",
  errors: {
    noAnswer: "The service does not answer.",
    failure: "The service could not do it. Try again; if it stays so, look at its log.",
    /** @param {number} seconds */
    later: (seconds) => `Try again in ${seconds} s.`,
    retry: "Try again",
    advice: {
      0: "Check that it runs and that you reach it. What is shown stays as it was.",
      400: "Change what is named, and try again.",
      401: "Sign in at the gateway, and load the page again.",
      403: "Ask whoever runs the service for the permission.",
      404: "It may have been deleted meanwhile. Go back to the list.",
      409: "Somebody else works on it. Load it again.",
      412: "It changed meanwhile. Look at it again, then repeat what you did.",
      413: "Send less at once.",
      507: "The disk of the service is full. Nothing was changed.",
    },
  },
  overview: {
    title: "Overview",
    groups: /** @type {Record<string, string>} */ ({ OPEN: "open", CLOSED: "done", FAILED: "failed" }),
    noGroup: "in no group",
    up: "service is up",
    down: "service is down:",
    byWorkflow: "Jobs by workflow",
    /** @param {number} count */
    allWorkflows: (count) => `all ${number(count)} workflows`,
    attention: "Needs a person",
    nothing: "Nothing failed, nothing waits for you.",
    /** @param {number} jobs */
    wait: (jobs) => `${jobs === 1 ? "waits" : "wait"} for an operator in`,
    /** @param {number} jobs */
    stuck: (jobs) => `${jobs === 1 ? "has" : "have"} not changed for a day`,
    failed: "failed; the newest:",
    activity: "Activity",
    hours: "Jobs of the last 24 hours, by hour",
    created: "created",
    closed: "done",
    failedShort: "failed",
    events: "events",
    /** @param {number} perSecond */
    rate: (perSecond) => `Events in each of the last 120 seconds; ${perSecond.toFixed(1)} a second now`,
  },
  workflows: { noJobs: "no jobs", noGroup: "no group" },
  jobs: {
    title: "Jobs",
    /** @param {string} shown @param {string} total */
    showing: (shown, total) => `showing ${shown} of ${total}`,
    /** @param {number} count */
    fresh: (count) => `${number(count)} new`,
    none: "There are no jobs yet. This creates one:",
    command: "echo '{}' | wfxctl job create --client-id DEVICE --workflow WORKFLOW -",
    noneFits: "No job meets all these conditions.",
    showAll: "Show all jobs",
    columns: {
      id: "Job",
      client: "Client",
      status: "Status",
      progress: "Progress",
      message: "Message",
      tags: "Tags",
      workflow: "Workflow",
      group: "Group",
      created: "Created",
      changed: "Changed",
    },
    newestFirst: "newest first",
    oldestFirst: "oldest first",
    clientHint: "Client id begins with …",
    addFilter: "Add a filter",
    add: "Add",
    remove: "Remove",
    clear: "Remove all",
    filters: {
      workflow: "workflow",
      group: "group",
      state: "state",
      tag: "tag",
      client: "client",
      after: "created after",
      before: "created before",
      unchanged: "unchanged for",
    },
    filterHints: {
      workflow: "name",
      group: "name, or (none)",
      state: "name",
      tag: "name",
      after: "2026-07-01T08:00:00Z",
      before: "2026-07-01T08:00:00Z",
      unchanged: "PT30M, P1D",
    },
    noGroup: "no group",
    bar: "Jobs by group; a click filters",
    deleted: "deleted",
  },
  dialog: { cancel: "Cancel", close: "Close" },
  copied: "copied",
  copy: "Copy",
  keys: {
    title: "Keyboard",
    search: "Search",
    help: "Show this list",
    next: "Next row",
    previous: "Previous row",
    open: "Open",
    select: "Select",
    /** @param {string} page */
    go: (page) => `Go to ${page}`,
  },
};
