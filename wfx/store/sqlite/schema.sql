CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;

CREATE TABLE workflow (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL,
    deleted  INTEGER,
    document TEXT NOT NULL
, created INTEGER);

CREATE TABLE sqlite_sequence(name,seq);

CREATE UNIQUE INDEX workflow_name ON workflow (name) WHERE deleted IS NULL;

CREATE INDEX workflow_deleted ON workflow (deleted) WHERE deleted IS NOT NULL;

CREATE TABLE "workflow_state" (
    number   INTEGER PRIMARY KEY,
    workflow INTEGER NOT NULL REFERENCES workflow (number),
    state    TEXT NOT NULL,
    "group"  TEXT NOT NULL
);

CREATE TABLE job (
    number          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    client_id       TEXT NOT NULL,
    workflow_state           INTEGER NOT NULL REFERENCES "workflow_state" (number),
    stime           INTEGER NOT NULL,
    mtime           INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    history         INTEGER,
    definition_hash TEXT NOT NULL,
    tags            TEXT NOT NULL,
    status          TEXT NOT NULL
, size INTEGER NOT NULL DEFAULT 0, history_bytes INTEGER NOT NULL DEFAULT 0, history_dropped INTEGER NOT NULL DEFAULT 0, overtaken TEXT NOT NULL DEFAULT '');

CREATE INDEX job_client ON job (client_id, number, workflow_state);

CREATE TABLE definition (
    job      INTEGER PRIMARY KEY REFERENCES job (number) ON DELETE CASCADE,
    document TEXT NOT NULL
);

CREATE TABLE job_tag (
    tag TEXT NOT NULL,
    job INTEGER NOT NULL,
    PRIMARY KEY (tag, job)
) WITHOUT ROWID;

CREATE TABLE history (
    number     INTEGER PRIMARY KEY,
    earlier    INTEGER,
    job        INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    mtime      INTEGER NOT NULL,
    status     TEXT NOT NULL,
    definition TEXT
);

CREATE TABLE event (
    seq       INTEGER PRIMARY KEY,
    ctime     INTEGER NOT NULL,
    action    TEXT NOT NULL,
    job_id    TEXT NOT NULL,
    client_id TEXT NOT NULL,
    workflow  INTEGER NOT NULL,
    payload   TEXT NOT NULL
, state_before INTEGER, cause TEXT);

CREATE TABLE "orphaned_history" (
    entry INTEGER PRIMARY KEY
);

CREATE TABLE consumer (
    name     TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    steps    INTEGER NOT NULL,
    lost     INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE lease (
    name   TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch  INTEGER NOT NULL,
    until  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX workflow_state_workflow ON workflow_state (workflow);

CREATE INDEX workflow_state_state ON workflow_state (state);

CREATE INDEX workflow_state_group ON workflow_state ("group");

CREATE INDEX job_workflow_state ON job (workflow_state);

CREATE TABLE tombstone (
    number          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    client_id       TEXT NOT NULL,
    workflow        INTEGER NOT NULL,
    state           TEXT NOT NULL,
    stime           INTEGER NOT NULL,
    mtime           INTEGER NOT NULL,
    definition_hash TEXT NOT NULL,
    definition      TEXT
);

CREATE TABLE bulk_request (
    number      INTEGER PRIMARY KEY,
    key         TEXT UNIQUE,
    fingerprint TEXT NOT NULL,
    created     INTEGER NOT NULL,
    total       INTEGER NOT NULL,
    done        INTEGER NOT NULL,
    failed      INTEGER NOT NULL
, size INTEGER NOT NULL DEFAULT 0);

CREATE INDEX bulk_request_created ON bulk_request (created);

CREATE TABLE bulk_content (
    request INTEGER PRIMARY KEY REFERENCES bulk_request (number),
    content TEXT NOT NULL
);

CREATE TABLE bulk_slice (
    request INTEGER NOT NULL REFERENCES bulk_request (number),
    first   INTEGER NOT NULL,
    results TEXT NOT NULL,
    PRIMARY KEY (request, first)
);

CREATE TABLE device (
    client_id   TEXT PRIMARY KEY,
    first_seen  INTEGER,
    last_seen   INTEGER,
    version     TEXT NOT NULL,
    unclaimed   INTEGER NOT NULL,
    description TEXT NOT NULL DEFAULT '{"attributes":{},"labels":[]}'
) WITHOUT ROWID;

CREATE INDEX device_unclaimed ON device (client_id) WHERE unclaimed;

CREATE TABLE device_key (
    "key"     TEXT NOT NULL,
    client_id TEXT NOT NULL,
    PRIMARY KEY ("key", client_id)
) WITHOUT ROWID;

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

CREATE TABLE event_answer (
    number  INTEGER PRIMARY KEY,
    key     TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    size    INTEGER NOT NULL,
    answer  TEXT NOT NULL
);

CREATE INDEX event_answer_created ON event_answer (created, size);

CREATE TABLE score (
    number   INTEGER PRIMARY KEY,
    key      TEXT NOT NULL UNIQUE,
    actor_id TEXT NOT NULL,
    points   REAL NOT NULL,
    reason   TEXT NOT NULL,
    ctime    INTEGER NOT NULL
);

CREATE INDEX score_actor ON score (actor_id, number);

CREATE TABLE score_total (
    actor_id TEXT PRIMARY KEY,
    points   REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE sequence (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE repetition (
    root    TEXT NOT NULL,
    element TEXT NOT NULL,
    times   INTEGER NOT NULL,
    mtime   INTEGER NOT NULL,
    PRIMARY KEY (root, element)
) WITHOUT ROWID;

CREATE INDEX repetition_mtime ON repetition (mtime);

CREATE TABLE script (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL,
    sha256   TEXT NOT NULL,
    ctime    INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    findings TEXT NOT NULL,
    source   TEXT NOT NULL,
    UNIQUE (name, sha256)
);

CREATE TABLE current_script (
    name   TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE REFERENCES script (number)
) WITHOUT ROWID;
