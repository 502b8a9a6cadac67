-- oldest program: 1

-- How many jobs are in each state of each workflow, for summaries. Whoever changes jobs holds the lock on the log's row, and
-- changes these rows then.
CREATE TABLE job_count (
    workflow bigint NOT NULL,
    state    text COLLATE "C" NOT NULL,
    grp      text COLLATE "C" NOT NULL,
    jobs     bigint NOT NULL,
    PRIMARY KEY (workflow, state)
) WITH (fillfactor = 10);

-- Of jobs up to the number "covered" the counts are true as long as "counted" is the head. Programs that do not know of
-- counts raise the head alone, so from then on they are not; a chore begins anew.
ALTER TABLE log ADD COLUMN counted bigint NOT NULL DEFAULT -1, ADD COLUMN covered bigint NOT NULL DEFAULT 0;

UPDATE log SET counted = head, covered = 9223372036854775807 WHERE NOT EXISTS (SELECT FROM job);
