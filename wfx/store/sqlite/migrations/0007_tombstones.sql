-- What devices are told of deleted jobs, in the order of their deletion. state is the name of the one where the job has ended,
-- mtime when it was deleted. The workflow may be gone.
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

-- The state that was reported where an immediate transition has led on to the present one; empty otherwise.
ALTER TABLE job ADD COLUMN overtaken TEXT NOT NULL DEFAULT '';
