-- Bulk requests with an idempotency key. key: NULL once the record need not be kept any more, until it is dropped; total: how
-- many items there are, done: how many of them were done, failed: how many of these were refused.
CREATE TABLE bulk_request (
    number      INTEGER PRIMARY KEY,
    key         TEXT UNIQUE,
    fingerprint TEXT NOT NULL,
    created     INTEGER NOT NULL,
    total       INTEGER NOT NULL,
    done        INTEGER NOT NULL,
    failed      INTEGER NOT NULL
);

CREATE INDEX bulk_request_created ON bulk_request (created);

-- What a request is about. Apart, since the row above is written with each slice.
CREATE TABLE bulk_content (
    request INTEGER PRIMARY KEY REFERENCES bulk_request (number),
    content TEXT NOT NULL
);

-- What became of the items of a slice; first: how many were done before.
CREATE TABLE bulk_slice (
    request INTEGER NOT NULL REFERENCES bulk_request (number),
    first   INTEGER NOT NULL,
    results TEXT NOT NULL,
    PRIMARY KEY (request, first)
);
