-- oldest program: 1

-- Work to be done later, each once. state: WAITING, RUNNING, DONE or FAILED; due: when it may be claimed, of one that is RUNNING
-- when it may be claimed again, by the clock of the database; attempts: how often it was claimed; cause: as that of an event.
CREATE TABLE task (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key      text COLLATE "C" NOT NULL UNIQUE,
    kind     text COLLATE "C" NOT NULL,
    state    text COLLATE "C" NOT NULL,
    due      bigint NOT NULL,
    attempts bigint NOT NULL,
    ctime    bigint NOT NULL,
    mtime    bigint NOT NULL,
    input    text NOT NULL,
    result   text,
    cause    text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX task_due ON task (kind, due, id) WHERE state IN ('WAITING', 'RUNNING');
CREATE INDEX task_finished ON task (mtime, id) WHERE state IN ('DONE', 'FAILED');
CREATE INDEX task_kind ON task (kind, id);
CREATE INDEX task_state ON task (state, id);

-- Events from outside, by a hash of their ids, with the answers that they were given.
CREATE TABLE event_answer (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key     text COLLATE "C" NOT NULL UNIQUE,
    created bigint NOT NULL,
    size    bigint NOT NULL,
    answer  text NOT NULL
);

CREATE INDEX event_answer_created ON event_answer (created, number, size);

-- Points that actors were given, each entry once.
CREATE TABLE score (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key      text COLLATE "C" NOT NULL UNIQUE,
    actor_id text COLLATE "C" NOT NULL,
    points   double precision NOT NULL,
    reason   text NOT NULL,
    ctime    bigint NOT NULL
);

CREATE INDEX score_actor ON score (actor_id, number);

-- The sum of the points of each actor.
CREATE TABLE score_total (
    actor_id text COLLATE "C" PRIMARY KEY,
    points   double precision NOT NULL
);

-- Numbers that rules count on.
CREATE TABLE sequence (
    name  text COLLATE "C" PRIMARY KEY,
    value bigint NOT NULL
) WITH (fillfactor = 50);

-- How often an element of rules came in the chain of events that began with a root.
CREATE TABLE repetition (
    root    text COLLATE "C" NOT NULL,
    element text COLLATE "C" NOT NULL,
    times   bigint NOT NULL,
    mtime   bigint NOT NULL,
    PRIMARY KEY (root, element)
);

CREATE INDEX repetition_mtime ON repetition (mtime);
