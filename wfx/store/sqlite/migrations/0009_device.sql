-- Clients that were seen, or that operators have described; others are known by their jobs alone. first_seen and last_seen:
-- NULL if it was never seen. description: JSON with attributes and labels. unclaimed: 1 if there was no job of the client when
-- it was seen, and no description: of these only so many are kept.
CREATE TABLE device (
    client_id   TEXT PRIMARY KEY,
    first_seen  INTEGER,
    last_seen   INTEGER,
    version     TEXT NOT NULL,
    unclaimed   INTEGER NOT NULL,
    description TEXT NOT NULL DEFAULT '{"attributes":{},"labels":[]}'
) WITHOUT ROWID;

CREATE INDEX device_unclaimed ON device (client_id) WHERE unclaimed;

-- The attributes and labels once more, to find devices by.
CREATE TABLE device_key (
    "key"     TEXT NOT NULL,
    client_id TEXT NOT NULL,
    PRIMARY KEY ("key", client_id)
) WITHOUT ROWID;
