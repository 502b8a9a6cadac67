-- Times are whole microseconds since 1970 in UTC. Documents are JSON text.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;

-- log_id: the identity of the log. horizon: the newest sequence number that was pruned from it.
INSERT INTO meta (name, value) VALUES ('log_id', lower(hex(randomblob(16)))), ('horizon', 0);

-- Workflows never change. A deleted one stays, out of sight, until the last event that refers to it is pruned: "deleted" is
-- the head of the log at its deletion. AUTOINCREMENT, since a number must never come to mean another workflow.
CREATE TABLE workflow (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL,
    deleted  INTEGER,
    document TEXT NOT NULL
);

CREATE UNIQUE INDEX workflow_name ON workflow (name) WHERE deleted IS NULL;
CREATE INDEX workflow_deleted ON workflow (deleted) WHERE deleted IS NOT NULL;

-- Where a job can be: a state of a workflow that is not deleted. Since workflows never change, the number follows from them:
-- workflow * 65536 + the state's place among the states, from 0. A condition on workflow, state or group is thus one on
-- places, and jobs need one index for all three.
CREATE TABLE place (
    number   INTEGER PRIMARY KEY,
    workflow INTEGER NOT NULL REFERENCES workflow (number),
    state    TEXT NOT NULL,
    "group"  TEXT NOT NULL
);

CREATE INDEX place_workflow ON place (workflow);
CREATE INDEX place_state ON place (state);
CREATE INDEX place_group ON place ("group");

-- The number is the order of creation. It is what "sorted by stime" means here: stime alone leaves ties open, and goes
-- backwards when the clock does.
CREATE TABLE job (
    number          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    client_id       TEXT NOT NULL,
    place           INTEGER NOT NULL REFERENCES place (number),
    stime           INTEGER NOT NULL,
    mtime           INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    history         INTEGER,
    definition_hash TEXT NOT NULL,
    tags            TEXT NOT NULL,
    status          TEXT NOT NULL
);

-- A client's jobs in order of creation, with what most queries ask besides: answered from the index alone.
CREATE INDEX job_client ON job (client_id, number, place);
-- Every index ends with the row's number, so the jobs at one place come in order of creation.
CREATE INDEX job_place ON job (place);

-- Apart from the job, since it may be large and most changes of a job leave it alone.
CREATE TABLE definition (
    job      INTEGER PRIMARY KEY REFERENCES job (number) ON DELETE CASCADE,
    document TEXT NOT NULL
);

-- The tags of job.tags once more, to find jobs by. No foreign key: deleting a job would need an index by job for it, while
-- whoever deletes the job knows its tags.
CREATE TABLE job_tag (
    tag TEXT NOT NULL,
    job INTEGER NOT NULL,
    PRIMARY KEY (tag, job)
) WITHOUT ROWID;

-- What a job was at a version before its present one. job.history is its newest entry, and each entry names the one before
-- it. That takes no index, so entries are only ever appended: with one, every change would rewrite some page of it, and
-- that would be half of all that is written.
CREATE TABLE history (
    number     INTEGER PRIMARY KEY,
    earlier    INTEGER,
    job        INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    mtime      INTEGER NOT NULL,
    status     TEXT NOT NULL,
    definition TEXT
);

-- No foreign key on workflow: deleting a workflow would need an index of the events by workflow for it.
CREATE TABLE event (
    seq       INTEGER PRIMARY KEY,
    ctime     INTEGER NOT NULL,
    action    TEXT NOT NULL,
    job_id    TEXT NOT NULL,
    client_id TEXT NOT NULL,
    workflow  INTEGER NOT NULL,
    payload   TEXT NOT NULL
);
