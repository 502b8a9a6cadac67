-- oldest program: 1

-- Buckets of limits that are not full, by what is limited. Not logged: after a crash, and on a standby that is promoted, all
-- are full. All times are in milliseconds since 1970.
CREATE UNLOGGED TABLE limit_bucket (
    key     text COLLATE "C" PRIMARY KEY,
    periods bigint[] NOT NULL DEFAULT '{}', -- in how many milliseconds each band is filled up
    missing bigint[] NOT NULL DEFAULT '{}', -- what it lacks, in tokens times its period
    at      bigint NOT NULL DEFAULT 0,      -- when that was so
    full_at bigint NOT NULL DEFAULT 0       -- when all tokens are back
) WITH (fillfactor = 50);
