-- oldest program: 1

-- The tags that many jobs have, and how many of these are in each state of each workflow, for summaries. Whoever changes jobs
-- holds the lock on the log's row, and changes these rows then.
CREATE TABLE counted_tag (
    tag text COLLATE "C" PRIMARY KEY
);

CREATE TABLE tag_count (
    tag      text COLLATE "C" NOT NULL,
    workflow bigint NOT NULL,
    state    text COLLATE "C" NOT NULL,
    grp      text COLLATE "C" NOT NULL,
    jobs     bigint NOT NULL,
    PRIMARY KEY (tag, workflow, state)
) WITH (fillfactor = 30);

-- Of jobs up to the number "tag_covered" these counts are true as long as "tag_counted" is the head, as with "counted" and
-- "covered". "tag_choice" rises with each tag that is counted from then on: who did not know of one has not counted it.
ALTER TABLE log
    ADD COLUMN tag_counted bigint NOT NULL DEFAULT -1, ADD COLUMN tag_covered bigint NOT NULL DEFAULT 0,
    ADD COLUMN tag_choice bigint NOT NULL DEFAULT 0;

UPDATE log SET tag_counted = head, tag_covered = 9223372036854775807 WHERE NOT EXISTS (SELECT FROM job);

-- ANALYZE tells which tags many jobs have: up to so many of them.
ALTER TABLE job_tag ALTER COLUMN tag SET STATISTICS 500;
