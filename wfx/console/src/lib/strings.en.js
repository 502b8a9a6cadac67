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
  bulk: {
    titles: { update: "Move", tag: "Tag", delete: "Delete" },
    /** @param {number} count */
    selected: (count) => `${number(count)} selected`,
    /** @param {string} total */
    all: (total) => `Select all ${total} that match`,
    none: "Select none",
    select: "Select",
    look: "Look first",
    /** @param {string} title @param {number} count */
    go: (title, count) => `${title} ${counted(count, "job")}`,
    deletion: "The jobs and their histories are deleted for good. First a look at which ones these are:",
    state: "New state",
    add: "Tags to add, with commas between",
    remove: "Tags to remove, with commas between",
    /** @param {number} count */
    concerns: (count) => `This concerns ${counted(count, "job")}.`,
    /** @param {number} count */
    refused: (count) => `${number(count)} of them cannot be changed as they are now:`,
    /** @param {number} count */
    rest: (count) => `… and ${number(count)} more`,
    /** @param {string} count */
    type: (count) => `Type ${count} to go on:`,
    /** @param {number} done @param {number} failed @param {number} count */
    progress: (done, failed, count) => `${number(done)} done, ${number(failed)} failed, of ${number(count)}.`,
    stopped: "Stopped: the rest is as it was.",
    working: "progress",
    stop: "Stop",
    save: "Save the result",
  },
  job: {
    title: "Job",
    /** @param {string} id */
    gone: (id) => `The job ${id} was deleted.`,
    loading: "Loading the job …",
    now: "Now",
    since: "since",
    id: "Job ID",
    client: "Client ID",
    state: "State",
    group: "Group",
    tags: "Tags",
    created: "Created",
    modified: "Modified",
    workflow: "Workflow",
    progress: "Progress",
    message: "Message",
    context: "Context",
    seen: "Device last seen",
    next: "Next",
    endState: "nothing: this is an end state",
    byDevice: "by the device",
    byServer: "by itself",
    timeHere: "Time in state",
    copyWfxctl: "Copy as wfxctl",
    copyCurl: "Copy as curl",
    copyJson: "Copy JSON",
    tabs: { history: "History", definition: "Definition", events: "Events", json: "JSON" },
    tabList: "About this job",
    when: "When",
    who: "Who",
    what: "State",
    changed: "What changed",
    createdRow: "created",
    event: "Event",
    action: "Action",
    noEvents: "Its events are not on the log any more.",
    definitionChanged: "definition",
    /** @param {number} count */
    left: (count) => `… and ${counted(count, "more change")}`,
    actions: {
      /** @param {string} state */
      move: (state) => `Move to ${state}`,
      retry: "Retry",
      tag: "Tag",
      remove: "Delete",
      /** @param {string} client @param {string} state */
      moveText: (client, state) => `The job of ${client} goes to ${state}. Its device is told so when it asks.`,
      /** @param {string} client */
      retryText: (client) => `The same job is created once more for ${client}: same workflow, definition and tags.`,
      /** @param {string} client */
      removeText: (client) => `The job of ${client} and its history are deleted for good. This concerns 1 device.`,
      tagText: "Tags, with commas between:",
      message: "Message (for people)",
      save: "Save",
    },
  },
  devices: {
    title: "Devices",
    /** @param {number} count */
    count: (count) => counted(count, "device"),
    /** @param {string} count */
    orMore: (count) => `${count} or more devices`,
    none: "There are no devices yet. A device is there once it has a job, or asks for one; this creates one:",
    noneFits: "No device meets all these conditions.",
    showAll: "Show all devices",
    ascending: "A to Z",
    descending: "Z to A",
    columns: {
      client: "Client",
      seen: "Last seen",
      job: "Current job",
      result: "Last result",
      version: "Version",
      labels: "Labels",
      attributes: "Attributes",
    },
    filters: { label: "label", attribute: "attribute", unseen: "not seen for", version: "version", filter: "expression" },
    filterHints: {
      label: "name",
      attribute: "site:hall1",
      unseen: "PT30M, P1D",
      version: "all of it",
      filter: 'lastResult.group == "FAILED"',
    },
  },
  device: {
    title: "Device",
    unknown: "The service does not know this device.",
    known: "What it told",
    said: "What operators say",
    nothingSaid: "Nothing yet. Labels and attributes tell devices apart, and find them.",
    current: "Current job",
    result: "Last result",
    lastSeen: "Last seen",
    firstSeen: "First seen",
    version: "Version",
    /** @param {number} count */
    jobs: (count) => counted(count, "job"),
    /** @param {number} count */
    newestJobs: (count) => `The newest ${counted(count, "job")}`,
    allJobs: "Show them in the list of jobs",
    older: "Show older ones",
    edit: "Edit labels and attributes",
    save: "Save",
    attributesHint: "Attributes, one name=value a line",
    labelsHint: "Labels, with commas between",
    /** @param {number} line */
    noPair: (line) => `Line ${number(line)} of the attributes is no name=value, such as site=hall1.`,
    forget: "Forget the device",
    /** @param {string} client */
    forgetText: (client) => `What is known of ${client}, its labels and attributes are deleted for good. If it asks again, it is known again.`,
    inUse: "Delete its jobs first.",
  },
  events: {
    title: "Events",
    none: "Nothing has happened yet. This creates a job, which is an event:",
    noneFits: "No event that is still on the log meets all these conditions.",
    showAll: "Show all events",
    columns: { number: "Event", time: "Time", action: "Action", state: "State", job: "Job", client: "Client", workflow: "Workflow", who: "Who" },
    actions: /** @type {Record<string, string>} */ ({
      CREATE: "created",
      UPDATE_STATUS: "status",
      UPDATE_DEFINITION: "definition",
      ADD_TAGS: "tags added",
      DELETE_TAGS: "tags removed",
      DELETE: "deleted",
    }),
    filters: { client: "client", workflow: "workflow", action: "action", job: "job" },
    filterHints: { client: "all of the client id", workflow: "name", action: "CREATE", job: "job id" },
    /** @param {number} count */
    count: (count) => counted(count, "event"),
    /** @param {string} count */
    newest: (count) => `the newest ${count} events`,
    /** @param {string} name */
    rule: (name) => `rule ${name}`,
    /** @param {string} number */
    detail: (number) => `Event ${number}`,
    details: "Show all of it",
    close: "Close the event, and go on with what happens",
  },
  dialog: { cancel: "Cancel", close: "Close" },
  graph: {
    asTable: "As a table",
    state: "State",
    time: "Time in it",
    meaning: "Meaning",
    leadsTo: "Leads to",
    larger: "Larger (+)",
    smaller: "Smaller (-)",
    whole: "Show all of it (0)",
    legend: "Solid: the device's transitions. Dashed: those of operators and of the service. Drag to move; wheel, + and - enlarge; 0 shows all.",
    /** @param {string} label */
    frame: (label) => `${label}: arrow keys move it, + and - enlarge it`,
    /** @param {string} label @param {string | undefined} present */
    summary: (label, present) => `${label}${present === undefined ? "" : `, now in ${present}`}; the table below says the same`,
    /** @param {number} count */
    left: (count) => `${counted(count, "transition is", "transitions are")} too long to draw; the table has them.`,
  },
  workflows: {
    title: "Workflows",
    one: "Workflow",
    name: "Name",
    description: "Description",
    jobs: "Jobs",
    noJobs: "no jobs",
    noGroup: "in no group",
    create: "New workflow",
    none: "There are no workflows yet.",
    noneCommand: "wfxctl workflow create workflow.yml",
    pages: "Pages",
    previous: "Previous",
    next: "Next",
    refresh: "Refresh",
    /** @param {number} first @param {number} last @param {number} total */
    range: (first, last, total) => `showing ${number(first)}–${number(last)} of ${number(total)}`,
    /** @param {number} count */
    jobsIn: (count) => counted(count, "job"),
    allJobs: "Show its jobs",
    json: "JSON",
    delete: "Delete",
    /** @param {string} name */
    deleteTitle: (name) => `Delete ${name}?`,
    deleteUnused: "No job follows it. It is gone then, and its name is free again.",
    /** @param {number} count */
    deleteUsed: (count) => `${counted(count, "job follows", "jobs follow")} it. The service deletes a workflow only once these are deleted.`,
    source: "Definition, as YAML or JSON",
    send: "Create",
    preview: "What it looks like",
    faults: "What is wrong",
    noFaults: "Nothing is known to be wrong yet; the service checks it when it is created.",
    notAMapping: "The definition has to be a mapping with name, states and transitions.",
    /** @param {number} line */
    line: (line) => `line ${number(line)}`,
    copyOf: "New one like this",
  },
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
