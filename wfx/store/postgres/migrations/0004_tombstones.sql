-- oldest program: 1

-- What devices are told of deleted jobs, in the order of their deletion. state is where the job has ended, mtime when it was
-- deleted. The workflow may be gone.
CREATE TABLE tombstone (
    number          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              text COLLATE "C" NOT NULL UNIQUE,
    client_id       text COLLATE "C" NOT NULL,
    workflow        bigint NOT NULL,
    state           text COLLATE "C" NOT NULL,
    stime           bigint NOT NULL,
    mtime           bigint NOT NULL,
    definition_hash text NOT NULL,
    definition      text
);

-- The state that was reported where an immediate transition has led on to the present one; empty otherwise.
ALTER TABLE job ADD COLUMN overtaken text NOT NULL DEFAULT '';
