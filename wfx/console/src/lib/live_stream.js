// One stream of events for all tabs of a browser: resumes where it broke off, and gives each tab what it has not seen.
// It runs in a shared worker, or in the tab where there are none. Times and connections are handed in, for the tests.

/**
 * @typedef {object} LiveEvent
 * @property {string} id
 * @property {string} action
 * @property {string} ctime
 * @property {LiveJob} job
 * @property {unknown} [cause] the rule that has done it
 */
/**
 * @typedef {object} LiveJob What an event says of a job, without definitions and documents of workflows.
 * @property {string} id
 * @property {string} clientId
 * @property {string} workflow
 * @property {string} [stime]
 * @property {string} [mtime]
 * @property {string} [state]
 * @property {number} [progress]
 * @property {string} [message]
 * @property {string} [reporter] who reported the state
 * @property {string} [definitionHash]
 * @property {string[]} [tags]
 */
/** @typedef {{ state: "connecting" | "live" | "reconnecting", until: number }} Condition */
/**
 * @typedef {{ type: "events", events: LiveEvent[] } | { type: "condition", condition: Condition } | { type: "lost" }} Message
 * To a tab: what happened; how the stream is; that changes were missed, so that it has to begin anew.
 */
/** @typedef {{ since: string, send: (message: Message) => void }} Subscriber */
/** @typedef {{ onopen: any, onmessage: any, onerror: any, close: () => void }} Source */
/**
 * @typedef {object} Parts
 * @property {(since: string) => Source} connect
 * @property {(since: string) => Promise<boolean>} isRefused tells whether this position is no longer, or never was, on the log
 * @property {(run: () => void, milliseconds: number) => unknown} later
 * @property {() => number} now
 */

const KEPT = 2000; // events that a tab which comes later may still be given
const BATCH = 50; // milliseconds in which events are gathered
const LONGEST_WAIT = 15; // seconds between two attempts
const LONGEST_MESSAGE = 1000;

/** The number of a position on the log. @param {string} position */
export function numberOf(position) {
  return Number(position.slice(position.lastIndexOf("-") + 1));
}

/** The identity of the log that a position is on. @param {string} position */
export function logOf(position) {
  return position.slice(0, Math.max(0, position.lastIndexOf("-")));
}

/** An event without what is large. @param {string} id @param {any} event as the service sends it @returns {LiveEvent} */
export function slimmed(id, { action, ctime, cause, job }) {
  const { status = {} } = job;
  return {
    id,
    action,
    ctime,
    ...(cause !== undefined && { cause }),
    job: {
      id: job.id,
      clientId: job.clientId,
      workflow: job.workflow?.name ?? "",
      ...(job.stime !== undefined && { stime: job.stime }),
      ...(job.mtime !== undefined && { mtime: job.mtime }),
      ...(job.tags !== undefined && { tags: job.tags }),
      ...(status.state !== undefined && {
        state: status.state,
        progress: status.progress,
        message: typeof status.message === "string" ? status.message.slice(0, LONGEST_MESSAGE) : undefined,
      }),
      ...(typeof status.clientId === "string" && { reporter: status.clientId }),
      ...(status.definitionHash !== undefined && { definitionHash: status.definitionHash }),
    },
  };
}

export class LiveStream {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    /** @type {Set<Subscriber>} */
    this.subscribers = new Set();
    /** @type {LiveEvent[]} */
    this.kept = [];
    /** @type {LiveEvent[]} */
    this.waiting = [];
    this.position = "";
    this.start = ""; // the position before the first event that is kept
    /** @type {Source | undefined} */
    this.source = undefined;
    this.failures = 0;
    this.attempt = 0;
    /** @type {Condition} */
    this.condition = { state: "connecting", until: 0 };
  }

  /** Gives a tab all that happens after its position. @param {Subscriber} subscriber */
  add(subscriber) {
    const { since } = subscriber;
    this.flush();
    this.subscribers.add(subscriber);
    subscriber.send({ type: "condition", condition: this.condition });
    if (!this.position) {
      this.position = this.start = since;
      this.connect();
      return;
    }
    if (logOf(since) !== logOf(this.position) || numberOf(since) < numberOf(this.start)) {
      if (this.subscribers.size > 1 && numberOf(since) < numberOf(this.position)) {
        subscriber.send({ type: "lost" });
        return;
      }
      this.restart(since);
      return;
    }
    const missed = this.kept.filter((event) => numberOf(event.id) > numberOf(since));
    if (missed.length > 0) subscriber.send({ type: "events", events: missed });
  }

  /** @param {Subscriber} subscriber */
  remove(subscriber) {
    this.subscribers.delete(subscriber);
    if (this.subscribers.size > 0) return;
    this.source?.close();
    this.source = undefined;
    this.attempt += 1;
    this.position = "";
    this.kept = [];
    this.waiting = [];
    this.tell({ state: "connecting", until: 0 });
  }

  /** Begins anew at another position: the log is another one, or others have to look anew too. @param {string} since */
  restart(since) {
    const foreign = logOf(since) !== logOf(this.position);
    for (const each of this.subscribers) if (foreign && each.since !== since) each.send({ type: "lost" });
    this.kept = [];
    this.position = this.start = since;
    this.source?.close();
    this.connect();
  }

  connect() {
    this.attempt += 1;
    const source = this.parts.connect(this.position);
    this.source = source;
    source.onopen = () => {
      this.failures = 0;
      this.tell({ state: "live", until: 0 });
    };
    source.onmessage = (/** @type {{ data: string, lastEventId: string }} */ { data, lastEventId }) => {
      if (source === this.source) this.take(lastEventId, data);
    };
    source.onerror = () => {
      if (source === this.source) void this.lost(source);
    };
  }

  /** @param {string} id @param {string} data */
  take(id, data) {
    if (logOf(id) === logOf(this.position) && numberOf(id) <= numberOf(this.position)) return;
    const event = slimmed(id, JSON.parse(data));
    this.position = id;
    this.waiting.push(event);
    if (this.waiting.length === 1) this.parts.later(() => this.flush(), BATCH);
  }

  /** Gives all tabs what was gathered. */
  flush() {
    const events = this.waiting;
    if (events.length === 0) return;
    this.waiting = [];
    this.kept.push(...events);
    if (this.kept.length > KEPT) {
      const dropped = this.kept.splice(0, this.kept.length - KEPT);
      this.start = dropped.at(-1)?.id ?? this.start;
    }
    for (const each of this.subscribers) each.send({ type: "events", events });
  }

  /** Connects again after a while, which grows with each failure. @param {Source} source */
  async lost(source) {
    source.close();
    this.source = undefined;
    const seconds = Math.min(LONGEST_WAIT, 2 ** this.failures) - (this.failures === 0 ? 0.5 : 0);
    this.failures += 1;
    this.tell({ state: "reconnecting", until: this.parts.now() + seconds * 1000 });
    const attempt = this.attempt;
    if (await this.parts.isRefused(this.position)) {
      if (attempt !== this.attempt) return;
      this.position = "";
      this.kept = [];
      const all = [...this.subscribers];
      this.subscribers.clear();
      for (const each of all) each.send({ type: "lost" });
      return;
    }
    this.parts.later(() => {
      if (attempt === this.attempt && this.subscribers.size > 0) this.connect();
    }, seconds * 1000);
  }

  /** @param {Condition} condition */
  tell(condition) {
    this.condition = condition;
    for (const each of this.subscribers) each.send({ type: "condition", condition });
  }
}
