-- oldest program: 1

-- The tags of jobs once more, with the workflow, which never changes. Searches and totals by tag read this without a look at
-- the jobs. Cleaned up early, so that the index alone is read for most rows.
CREATE TABLE job_tag (
    tag      text COLLATE "C" NOT NULL,
    number   bigint NOT NULL,
    workflow bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);

-- Called by triggers, so that the table is true also where programs write that do not know of it: when a job with tags comes
-- or goes, and when the tags of one change. A row that is there and should not be keeps nobody from a change.
CREATE FUNCTION keep_job_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO job_tag (tag, number, workflow) SELECT DISTINCT unnest(NEW.tag_keys), NEW.number, NEW.workflow
        ON CONFLICT (tag, number) DO UPDATE SET workflow = excluded.workflow;
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM job_tag WHERE number = OLD.number AND tag = ANY (OLD.tag_keys);
    ELSE
        DELETE FROM job_tag WHERE number = OLD.number AND tag = ANY (OLD.tag_keys) AND tag <> ALL (NEW.tag_keys);
        INSERT INTO job_tag (tag, number, workflow)
        SELECT tag, NEW.number, NEW.workflow
        FROM (SELECT unnest(NEW.tag_keys) EXCEPT SELECT unnest(OLD.tag_keys)) AS added (tag)
        ON CONFLICT (tag, number) DO UPDATE SET workflow = excluded.workflow;
    END IF;
    RETURN NULL;
END
$$;

-- Filled while others change jobs, who wait only while what they have changed meanwhile is made good: the jobs of newer events,
-- or all if the log was pruned beyond that.
DO $$
DECLARE
    known bigint := head FROM log;
    changed bigint[];
BEGIN
    INSERT INTO job_tag (tag, number, workflow)
    SELECT tag, number, workflow FROM job CROSS JOIN LATERAL (SELECT DISTINCT unnest(tag_keys)) AS own (tag);
    ALTER TABLE job_tag ADD PRIMARY KEY (tag, number) INCLUDE (workflow);
    ANALYZE job_tag;
    LOCK TABLE job IN SHARE ROW EXCLUSIVE MODE;
    IF (SELECT head > known FROM log) THEN
        changed := ARRAY(
            SELECT number FROM job
            WHERE (SELECT horizon > known FROM log) OR id IN (SELECT job_id FROM event WHERE seq > known)
        );
        DELETE FROM job_tag WHERE number = ANY (changed);
        DELETE FROM job_tag WHERE NOT EXISTS (SELECT FROM job WHERE job.number = job_tag.number);
        INSERT INTO job_tag (tag, number, workflow)
        SELECT tag, number, workflow FROM job CROSS JOIN LATERAL (SELECT DISTINCT unnest(tag_keys)) AS own (tag)
        WHERE number = ANY (changed);
    END IF;
END
$$;

CREATE TRIGGER job_tag_born AFTER INSERT ON job
FOR EACH ROW WHEN (NEW.tag_keys <> '{}') EXECUTE FUNCTION keep_job_tags();

CREATE TRIGGER job_tag_changed AFTER UPDATE OF tag_keys ON job
FOR EACH ROW WHEN (OLD.tag_keys IS DISTINCT FROM NEW.tag_keys) EXECUTE FUNCTION keep_job_tags();

CREATE TRIGGER job_tag_gone AFTER DELETE ON job
FOR EACH ROW WHEN (OLD.tag_keys <> '{}') EXECUTE FUNCTION keep_job_tags();
