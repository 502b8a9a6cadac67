-- Times are whole microseconds since 1970 in UTC. Documents are JSON text. Every index ends with the row's number, so what an
-- index finds comes in the order of creation.

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

-- The number is the order of creation. It is what "sorted by stime" means here: stime alone leaves ties open, and goes
-- backwards when the clock does.
CREATE TABLE job (
    number          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    client_id       TEXT NOT NULL,
    workflow        INTEGER NOT NULL REFERENCES workflow (number),
    state           TEXT NOT NULL,
    "group"         TEXT NOT NULL,
    stime           INTEGER NOT NULL,
    mtime           INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    definition_hash TEXT NOT NULL,
    tags            TEXT NOT NULL,
    status          TEXT NOT NULL
);

CREATE INDEX job_client_id ON job (client_id);
CREATE INDEX job_workflow ON job (workflow);
CREATE INDEX job_state ON job (state);
CREATE INDEX job_group ON job ("group");

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

-- What a job was before the change that made it version + 1.
CREATE TABLE history (
    job        INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    version    INTEGER NOT NULL,
    mtime      INTEGER NOT NULL,
    status     TEXT NOT NULL,
    definition TEXT,
    PRIMARY KEY (job, version)
) WITHOUT ROWID;

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
