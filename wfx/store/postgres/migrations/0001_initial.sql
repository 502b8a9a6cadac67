-- oldest program: 1

-- One row: the newest event's number, and the newest pruned one's. Every transaction that adds events locks it last, so
-- numbers have no gaps and rise in the order of commits. Alone on its page, with room for many versions of the row.
CREATE TABLE log (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    head    bigint NOT NULL,
    horizon bigint NOT NULL,
    log_id  text NOT NULL
) WITH (fillfactor = 10);

INSERT INTO log (head, horizon, log_id) VALUES (0, 0, replace(gen_random_uuid()::text, '-', ''));

-- One row for each server: its newest batch and what became of it, to be asked for when an answer was lost. A server
-- raises its epoch by a new connection; what an old connection still sends with the epoch before changes nothing.
CREATE TABLE writer (
    id        uuid PRIMARY KEY,
    epoch     bigint NOT NULL,
    batch     bigint NOT NULL,
    first_seq bigint,
    stale     text[] NOT NULL,
    done      boolean NOT NULL,
    seen      timestamptz NOT NULL
) WITH (fillfactor = 10);

-- Every workflow that a job or an event names, also deleted ones; documents never change.
CREATE TABLE workflow (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name     text COLLATE "C" NOT NULL,
    deleted  bigint,
    document text NOT NULL
);

CREATE INDEX workflow_deleted ON workflow (deleted) WHERE deleted IS NOT NULL;

-- The workflows that are there now. Jobs refer to these, so none is deleted that has jobs.
CREATE TABLE current_workflow (
    name   text COLLATE "C" PRIMARY KEY,
    number bigint NOT NULL UNIQUE REFERENCES workflow (number)
);

-- The number of a job is that of its first event.
CREATE TABLE job (
    number          bigint PRIMARY KEY,
    id              text COLLATE "C" NOT NULL UNIQUE,
    client_id       text COLLATE "C" NOT NULL,
    workflow        bigint NOT NULL REFERENCES current_workflow (number),
    state           text COLLATE "C" NOT NULL,
    grp             text COLLATE "C" NOT NULL,
    stime           bigint NOT NULL,
    mtime           bigint NOT NULL,
    version         bigint NOT NULL,
    definition_hash text NOT NULL,
    tags            text NOT NULL,
    tag_keys        text[] NOT NULL,
    status          text NOT NULL,
    definition      text,
    size            bigint NOT NULL,
    history_bytes   bigint NOT NULL,
    history_dropped bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

-- An entry of an index has 2,704 bytes at most; the names of states and groups are checked, these are not.
CREATE INDEX job_client ON job (left(client_id, 500), number);
CREATE INDEX job_workflow_state ON job (workflow, state, number);
CREATE INDEX job_state ON job (state, number);
CREATE INDEX job_grp ON job (grp, number);
CREATE INDEX job_tag_keys ON job USING gin (tag_keys);

CREATE TABLE history (
    job        bigint NOT NULL,
    version    bigint NOT NULL,
    mtime      bigint NOT NULL,
    status     text NOT NULL,
    definition text,
    PRIMARY KEY (job, version)
);

-- Jobs that are gone and whose histories were too long to be dropped at once.
CREATE TABLE left_history (
    job bigint PRIMARY KEY
);

CREATE TABLE event (
    seq          bigint PRIMARY KEY,
    ctime        bigint NOT NULL,
    action       text NOT NULL,
    job_id       text COLLATE "C" NOT NULL,
    client_id    text COLLATE "C" NOT NULL,
    workflow     bigint NOT NULL,
    payload      text NOT NULL,
    state_before text,
    cause        text
);

CREATE TABLE consumer (
    name     text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    steps    bigint NOT NULL,
    lost     bigint NOT NULL
);

CREATE TABLE lease (
    name   text COLLATE "C" PRIMARY KEY,
    holder text NOT NULL,
    epoch  bigint NOT NULL,
    until  bigint NOT NULL
);
