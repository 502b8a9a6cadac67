-- oldest program: 1

-- Clients that were seen, or that operators have described; others are known by their jobs alone. No index has the times, so
-- that a device that is seen again needs no new entry in any.
CREATE TABLE device (
    client_id   text COLLATE "C" PRIMARY KEY,
    first_seen  bigint,
    last_seen   bigint,
    version     text NOT NULL,
    unclaimed   boolean NOT NULL, -- there was no job of the client when it was seen, and no description
    description text NOT NULL DEFAULT '{"attributes":{},"labels":[]}',
    keys        text[] NOT NULL DEFAULT '{}' -- its attributes and labels once more, to find it by
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX device_unclaimed ON device (client_id) WHERE unclaimed;
CREATE INDEX device_keys ON device USING gin (keys);
