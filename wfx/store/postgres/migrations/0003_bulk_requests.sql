-- oldest program: 1

-- Bulk requests with an idempotency key. total: how many items there are, done: how many of them were done, failed: how many
-- of these were refused; holder: the server that carries it out, and until when others leave it to that; key: NULL once the
-- record need not be kept any more, until it is dropped.
CREATE TABLE bulk_request (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text COLLATE "C" UNIQUE,
    fingerprint text NOT NULL,
    content     text NOT NULL,
    created     bigint NOT NULL,
    total       bigint NOT NULL,
    done        bigint NOT NULL,
    failed      bigint NOT NULL,
    holder      text NOT NULL,
    until       bigint NOT NULL
);

CREATE INDEX bulk_request_created ON bulk_request (created);

-- What became of the items of a slice; first: how many were done before.
CREATE TABLE bulk_slice (
    request bigint NOT NULL,
    first   bigint NOT NULL,
    results text NOT NULL,
    PRIMARY KEY (request, first)
);
