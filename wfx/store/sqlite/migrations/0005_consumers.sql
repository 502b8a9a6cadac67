-- Durable places on the log. position: the newest event that the consumer is done with; steps: how many it has taken; lost:
-- how many events were pruned before it was done with them.
CREATE TABLE consumer (
    name     TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    steps    INTEGER NOT NULL,
    lost     INTEGER NOT NULL
) WITHOUT ROWID;

-- Who does a chore that is to run once at a time. epoch: how many holders there were.
CREATE TABLE lease (
    name   TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch  INTEGER NOT NULL,
    until  INTEGER NOT NULL
) WITHOUT ROWID;
