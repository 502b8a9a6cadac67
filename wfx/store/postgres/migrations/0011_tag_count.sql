-- oldest program: 1

-- The tags that many jobs have, and how many of these are in each state of each workflow, for summaries: jobs up to the number
-- "covered" are counted.
CREATE TABLE counted_tag (
    tag     text COLLATE "C" PRIMARY KEY,
    covered bigint NOT NULL DEFAULT 0
);

CREATE TABLE tag_count (
    tag      text COLLATE "C" NOT NULL,
    workflow bigint NOT NULL,
    state    text COLLATE "C" NOT NULL,
    grp      text COLLATE "C" NOT NULL,
    jobs     bigint NOT NULL,
    PRIMARY KEY (tag, workflow, state)
) WITH (fillfactor = 30);

-- Jobs with tags that came to be, moved, were tagged or went since, which a chore adds to the counts; summaries read both. A
-- new job has no state before, one that is gone has none any more; "tags" is NULL where they are the same.
CREATE TABLE tag_shift (
    number       bigint NOT NULL,
    workflow     bigint NOT NULL,
    state_before text COLLATE "C",
    grp_before   text COLLATE "C",
    tags_before  text[],
    state        text COLLATE "C",
    grp          text COLLATE "C",
    tags         text[]
) WITH (autovacuum_vacuum_scale_factor = 0.1);

-- All of this is true as long as "tag_counted" is the head: programs that do not know of it raise the head alone.
ALTER TABLE log ADD COLUMN tag_counted bigint NOT NULL DEFAULT -1;

UPDATE log SET tag_counted = head WHERE NOT EXISTS (SELECT FROM job);

-- ANALYZE tells which tags many jobs have: up to so many of them.
ALTER TABLE job_tag ALTER COLUMN tag SET STATISTICS 500;

-- As before, and the same whatever search_path a session has: the table is named with its schema.
DO $$
BEGIN
    EXECUTE format(
        $format$
CREATE OR REPLACE FUNCTION %1$I.keep_job_tags() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO %1$I.job_tag (tag, number, workflow) SELECT DISTINCT unnest(NEW.tag_keys), NEW.number, NEW.workflow
        ON CONFLICT (tag, number) DO UPDATE SET workflow = excluded.workflow;
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM %1$I.job_tag WHERE number = OLD.number AND tag = ANY (OLD.tag_keys);
    ELSE
        DELETE FROM %1$I.job_tag WHERE number = OLD.number AND tag = ANY (OLD.tag_keys) AND tag <> ALL (NEW.tag_keys);
        INSERT INTO %1$I.job_tag (tag, number, workflow)
        SELECT tag, NEW.number, NEW.workflow
        FROM (SELECT unnest(NEW.tag_keys) EXCEPT SELECT unnest(OLD.tag_keys)) AS added (tag)
        ON CONFLICT (tag, number) DO UPDATE SET workflow = excluded.workflow;
    END IF;
    RETURN NULL;
END
$body$
        $format$,
        (SELECT nspname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = 'job_tag'::regclass)
    );
END
$$;

-- Tags that begin as the hashes of long ones do are found by their hashes, too: else one could be taken for another. The
-- triggers change the rows of the table.
UPDATE job
SET tag_keys = ARRAY(
    SELECT CASE
        WHEN length(tag) > 500 OR starts_with(tag, E'\x01') THEN E'\x01' || encode(sha256(convert_to(tag, 'UTF8')), 'hex')
        ELSE tag
    END
    FROM json_array_elements_text(tags::json) AS own (tag)
)
WHERE number IN (SELECT number FROM job_tag WHERE tag >= E'\x01' AND tag < E'\x02') AND strpos(tags, '"\u0001') > 0;
