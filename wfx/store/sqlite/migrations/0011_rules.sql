-- Work to be done later, each once. state: WAITING, RUNNING, DONE or FAILED; due: when it may be claimed, of one that is RUNNING
-- when it may be claimed again; attempts: how often it was claimed; cause: as that of an event.
CREATE TABLE task (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    key      TEXT NOT NULL UNIQUE,
    kind     TEXT NOT NULL,
    state    TEXT NOT NULL,
    due      INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    ctime    INTEGER NOT NULL,
    mtime    INTEGER NOT NULL,
    input    TEXT NOT NULL,
    result   TEXT,
    cause    TEXT NOT NULL
);

CREATE INDEX task_due ON task (kind, due) WHERE state IN ('WAITING', 'RUNNING');
CREATE INDEX task_finished ON task (mtime) WHERE state IN ('DONE', 'FAILED');
CREATE INDEX task_kind ON task (kind, id);
CREATE INDEX task_state ON task (state, id);

-- Events from outside, by a hash of their ids, with the answers that they were given; size: that of the answer in bytes.
CREATE TABLE event_answer (
    number  INTEGER PRIMARY KEY,
    key     TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    size    INTEGER NOT NULL,
    answer  TEXT NOT NULL
);

CREATE INDEX event_answer_created ON event_answer (created, size);

-- Points that actors were given, each entry once.
CREATE TABLE score (
    number   INTEGER PRIMARY KEY,
    key      TEXT NOT NULL UNIQUE,
    actor_id TEXT NOT NULL,
    points   REAL NOT NULL,
    reason   TEXT NOT NULL,
    ctime    INTEGER NOT NULL
);

CREATE INDEX score_actor ON score (actor_id, number);

-- The sum of the points of each actor.
CREATE TABLE score_total (
    actor_id TEXT PRIMARY KEY,
    points   REAL NOT NULL
) WITHOUT ROWID;

-- Numbers that rules count on.
CREATE TABLE sequence (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

-- How often an element of rules came in the chain of events that began with a root.
CREATE TABLE repetition (
    root    TEXT NOT NULL,
    element TEXT NOT NULL,
    times   INTEGER NOT NULL,
    mtime   INTEGER NOT NULL,
    PRIMARY KEY (root, element)
) WITHOUT ROWID;

CREATE INDEX repetition_mtime ON repetition (mtime);
