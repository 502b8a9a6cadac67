-- oldest program: 1

-- Buckets of the rate limit that are not full, by what is limited. Not logged: after a crash, and on a standby that is
-- promoted, all are full.
CREATE UNLOGGED TABLE rate_bucket (
    key     text COLLATE "C" PRIMARY KEY,
    since   double precision NOT NULL, -- when the running window began, in seconds since 1970
    used    bigint NOT NULL,           -- tokens that are missing
    granted bigint NOT NULL,           -- tokens that the last statement has taken
    full_at double precision NOT NULL  -- when all tokens are back
) WITH (fillfactor = 50);
