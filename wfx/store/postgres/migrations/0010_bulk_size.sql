-- oldest program: 1

-- Bytes that the record of a bulk request takes, so that the oldest go where all take too many.
ALTER TABLE bulk_request ADD COLUMN size bigint NOT NULL DEFAULT 0;
