-- Every fixed statement but those of apply.sql; the queries by condition are put together in job_search.py.

-- name: jobs_by_id
-- Of jobs with more bytes than the second value no documents are read.
SELECT
    number, id, CASE WHEN size <= $2 THEN client_id END, workflow, state, stime, mtime, version, definition_hash,
    CASE WHEN size <= $2 THEN tags END, CASE WHEN size <= $2 THEN status END, CASE WHEN size <= $2 THEN definition END,
    size, history_bytes, history_dropped, overtaken
FROM job WHERE id = ANY ($1::text[])

-- name: rows_of_page
-- :page selects the numbers of jobs. The room is for jobs as they are shown; those behind it come without documents.
WITH page AS MATERIALIZED (:page)
SELECT
    number, id, CASE WHEN fits THEN client_id END, workflow, state, stime, mtime, version, definition_hash,
    CASE WHEN fits THEN tags END, CASE WHEN fits THEN status END, CASE WHEN fits THEN definition END,
    size, history_bytes, history_dropped, shown, fits
FROM (
    SELECT *, sum(shown) OVER (ORDER BY number :order) <= :room AS fits
    FROM (
        SELECT job.*, job.size + octet_length(workflow.document) + :around AS shown
        FROM page JOIN job USING (number) JOIN workflow ON workflow.number = job.workflow
    ) AS measured
) AS chosen
ORDER BY number :order

-- name: pages_of_clients
-- One page for each client; an empty value sets no condition.
SELECT
    number, id, CASE WHEN fits THEN client_id END, workflow, state, stime, mtime, version, definition_hash,
    CASE WHEN fits THEN tags END, CASE WHEN fits THEN status END, CASE WHEN fits THEN definition END,
    size, history_bytes, history_dropped, shown, fits, place
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
    WITH ORDINALITY AS asked (client, in_state, of_workflow, in_groups, at_most, behind, place)
CROSS JOIN LATERAL (
    SELECT *, sum(shown) OVER (ORDER BY number :order) <= $7 AS fits
    FROM (
        SELECT job.*, job.size + octet_length(workflow.document) + :around AS shown
        FROM job JOIN workflow ON workflow.number = job.workflow
        WHERE left(client_id, 500) = left(client, 500) AND client_id = client AND (in_state = '' OR state = in_state)
            AND (of_workflow = '' OR workflow.name = of_workflow)
            AND (in_groups IS NULL OR grp = ANY (in_groups::text[]))
        ORDER BY job.number :order LIMIT at_most OFFSET behind
    ) AS measured
) AS chosen
ORDER BY place, number :order

-- name: history
-- One row for a job without entries. Of what has no room the first one comes, without documents.
SELECT job.number, entry.version, entry.mtime, entry.status, entry.definition, entry.shown, entry.fits, job.id
FROM job LEFT JOIN LATERAL (
    SELECT
        version, mtime, CASE WHEN upto <= $4 THEN status END AS status,
        CASE WHEN upto <= $4 THEN definition END AS definition, shown, upto <= $4 AS fits
    FROM (
        SELECT *, sum(shown) OVER (ORDER BY version DESC) AS upto
        FROM (
            SELECT *, octet_length(status) + coalesce(octet_length(definition), 0) + :around AS shown
            FROM history WHERE history.job = job.number AND version < $2 ORDER BY version DESC LIMIT $3
        ) AS part
    ) AS measured
    WHERE upto - shown <= $4
) AS entry ON true
WHERE :job
ORDER BY entry.version DESC

-- name: workflows_by_number
SELECT number, document FROM workflow WHERE number = ANY ($1::bigint[])

-- name: numbers_by_name
SELECT name, number FROM current_workflow WHERE name = ANY ($1::text[])

-- name: workflows_page
SELECT workflow.number, octet_length(document)
FROM current_workflow JOIN workflow USING (number) ORDER BY current_workflow.name :order LIMIT $1 OFFSET $2

-- name: workflows_total
SELECT count(*) FROM current_workflow

-- name: events_after
-- Events behind a position, at most so many, and so many bytes of payloads; the first one in any case.
SELECT
    seq, ctime, action, job_id, client_id, workflow, CASE WHEN upto <= $3 OR nth = 1 THEN payload END,
    state_before, cause
FROM (
    SELECT *, sum(octet_length(payload)) OVER (ORDER BY seq) AS upto, row_number() OVER (ORDER BY seq) AS nth
    FROM (SELECT * FROM event WHERE seq > $1 ORDER BY seq LIMIT $2) AS part
) AS measured
WHERE upto - octet_length(payload) <= $3
ORDER BY seq

-- name: bounds
SELECT log_id, horizon, head FROM log

-- name: locked_jobs
-- Of some jobs those that somebody holds a lock on.
WITH free AS MATERIALIZED (SELECT number FROM job WHERE number = ANY ($1::bigint[]) FOR UPDATE SKIP LOCKED)
SELECT number, id FROM job WHERE number = ANY ($1::bigint[]) AND number NOT IN (SELECT number FROM free)

-- name: jobs_are_locked
-- Whether somebody has, or waits for, a lock on the table of jobs that keeps others from locking its rows.
SELECT EXISTS (
    SELECT FROM pg_locks WHERE relation = 'job'::regclass AND mode IN ('ExclusiveLock', 'AccessExclusiveLock')
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid())

-- name: log_now
-- The newest event, and the one with this number.
SELECT log_id, head, horizon, latest.ctime, latest.job_id, known.ctime, known.job_id
FROM log LEFT JOIN event AS latest ON latest.seq = head LEFT JOIN event AS known ON known.seq = $1

-- name: server_now
-- The newest event, the one with this number, and since when PostgreSQL runs, by which two servers are told apart.
SELECT log_id, head, horizon, known.ctime, known.job_id, pg_postmaster_start_time()::text
FROM log LEFT JOIN event AS known ON known.seq = $1

-- name: replace_log
-- Unless somebody else has done it.
WITH renamed AS (
    UPDATE log SET log_id = replace(gen_random_uuid()::text, '-', '') WHERE log_id = $1 RETURNING log_id
)
SELECT pg_notify('wfx_log', '') FROM renamed

-- name: answer
SELECT 1

-- name: ping
-- Whether nothing can be written, and which rights the user lacks on tables, all of them on one that is not there.
SELECT
    current_setting('transaction_read_only') = 'on',
    (
        SELECT string_agg(wanted || ' on ' || name, ', ' ORDER BY name, wanted)
        FROM
            (
                VALUES
                ('job', 'SELECT,INSERT,UPDATE,DELETE'), ('history', 'SELECT,INSERT,UPDATE,DELETE'),
                ('left_history', 'SELECT,INSERT,DELETE'), ('event', 'SELECT,INSERT,DELETE'), ('log', 'SELECT,UPDATE'),
                ('writer', 'SELECT,INSERT,UPDATE,DELETE'), ('workflow', 'SELECT,INSERT,UPDATE,DELETE'),
                ('current_workflow', 'SELECT,INSERT,DELETE'), ('consumer', 'SELECT,INSERT,UPDATE'),
                ('lease', 'SELECT,INSERT,UPDATE'), ('job_count', 'SELECT,INSERT,UPDATE,DELETE'),
                ('tombstone', 'SELECT,INSERT,UPDATE,DELETE'), ('bulk_request', 'SELECT,INSERT,UPDATE,DELETE'),
                ('bulk_slice', 'SELECT,INSERT,DELETE'), ('device', 'SELECT,INSERT,UPDATE,DELETE'),
                ('job_tag', 'SELECT,INSERT,UPDATE,DELETE'),
                ('counted_tag', 'SELECT,INSERT,UPDATE,DELETE'), ('tag_count', 'SELECT,INSERT,UPDATE,DELETE'),
                ('tag_shift', 'SELECT,INSERT,DELETE'),
                ('task', 'SELECT,INSERT,UPDATE,DELETE'), ('event_answer', 'SELECT,INSERT,DELETE'),
                ('score', 'SELECT,INSERT'), ('score_total', 'SELECT,INSERT,UPDATE'),
                ('sequence', 'SELECT,INSERT,UPDATE'), ('repetition', 'SELECT,INSERT,UPDATE,DELETE'),
                ('script', 'SELECT,INSERT,UPDATE,DELETE'), ('current_script', 'SELECT,INSERT,UPDATE,DELETE')
            ) AS needed (name, rights),
            unnest(string_to_array(rights, ',')) AS wanted
        WHERE NOT coalesce(has_table_privilege(to_regclass(name)::oid, wanted), false)
    )

-- name: count_jobs
SELECT name, grp, jobs
FROM (SELECT workflow, grp, count(*) AS jobs FROM job GROUP BY workflow, grp) AS found
JOIN workflow ON workflow.number = found.workflow

-- name: rows_of_list
SELECT job.number, id, client_id, name, grp, state, status, tags, stime, mtime
FROM job JOIN workflow ON workflow.number = job.workflow WHERE job.number = ANY ($1::bigint[])

-- name: summarize_jobs
-- One row for each state with jobs, or one without a name. Jobs are counted in the index of workflows and states, without a
-- look at their rows; the group follows from both, and is that of the count if there is one.
SELECT
    log_id, head, name, coalesce(
        job_count.grp,
        CASE WHEN found.jobs > 0 THEN (
            SELECT grp FROM job WHERE job.workflow = found.workflow AND job.state = found.state LIMIT 1
        ) END
    ), found.state, found.jobs
FROM log
LEFT JOIN (SELECT workflow, state, count(*) AS jobs FROM job :condition GROUP BY workflow, state) AS found ON true
LEFT JOIN job_count ON job_count.workflow = found.workflow AND job_count.state = found.state
LEFT JOIN workflow ON workflow.number = found.workflow

-- name: read_counts
-- As above, of what was counted before; the third column tells whether that is all there is.
SELECT log_id, head, counted = head AND covered = 9223372036854775807, name, grp, state, jobs
FROM log
LEFT JOIN (SELECT workflow, grp, state, jobs FROM job_count :condition) AS found ON jobs > 0
LEFT JOIN workflow ON workflow.number = found.workflow

-- name: read_counts_of_tag
-- The same of the jobs that have the tag $1, with what has changed since they were counted.
SELECT
    log_id, head,
    tag_counted = head AND EXISTS (SELECT FROM counted_tag WHERE tag = $1::text AND covered = 9223372036854775807),
    name, grp, state, jobs
FROM log
LEFT JOIN (
    SELECT workflow, grp, state, sum(jobs)::bigint AS jobs
    FROM (
        SELECT tag, workflow, grp, state, jobs FROM tag_count
        UNION ALL
        SELECT $1::text, workflow, grp, state, 1 FROM tag_shift
        WHERE state IS NOT NULL AND $1::text = ANY (coalesce(tags, tags_before))
        UNION ALL
        SELECT $1::text, workflow, grp_before, state_before, -1 FROM tag_shift
        WHERE state_before IS NOT NULL AND $1::text = ANY (tags_before)
    ) AS shifted
    :condition
    GROUP BY workflow, grp, state
) AS found ON jobs > 0
LEFT JOIN workflow ON workflow.number = found.workflow

-- name: count_more
-- Counts some more jobs, or begins anew where a program has changed jobs that does not know of counts. The lock on the log
-- keeps others from changing jobs, and each statement sees what those have done who had it before.
DO $$
DECLARE
    place log;
    upto bigint;
BEGIN
    SELECT * INTO place FROM log FOR UPDATE;
    IF place.counted <> place.head THEN
        DELETE FROM job_count;
        UPDATE log SET counted = head, covered = 0;
    ELSIF place.covered < 9223372036854775807 THEN
        SELECT CASE count(*) WHEN :most THEN max(number) ELSE 9223372036854775807 END INTO upto
        FROM (SELECT number FROM job WHERE number > place.covered ORDER BY number LIMIT :most) AS some_jobs;
        INSERT INTO job_count AS known (workflow, state, grp, jobs)
        SELECT workflow, state, min(grp), count(*) FROM job
        WHERE number > place.covered AND number <= upto GROUP BY workflow, state
        ON CONFLICT (workflow, state) DO UPDATE SET jobs = known.jobs + excluded.jobs;
        UPDATE log SET covered = upto;
    END IF;
END
$$

-- name: count_more_of_tags
-- Counts some more jobs of one tag, or begins anew. What has changed before is added first, as the lock on the log keeps others
-- from changing more.
DO $$
DECLARE
    place log;
    next counted_tag;
    upto bigint;
BEGIN
    SELECT * INTO place FROM log FOR UPDATE;
    IF place.tag_counted <> place.head THEN
        DELETE FROM tag_count;
        DELETE FROM tag_shift;
        UPDATE counted_tag SET covered = 0;
        UPDATE log SET tag_counted = head;
        RETURN;
    END IF;
    :add;
    SELECT * INTO next FROM counted_tag WHERE covered < 9223372036854775807 ORDER BY tag LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    DELETE FROM tag_count WHERE tag = next.tag AND next.covered = 0;
    SELECT CASE count(*) WHEN :most THEN max(number) ELSE 9223372036854775807 END INTO upto
    FROM (
        SELECT number FROM job_tag WHERE tag = next.tag AND number > next.covered ORDER BY number LIMIT :most
    ) AS some_jobs;
    INSERT INTO tag_count AS known (tag, workflow, state, grp, jobs)
    SELECT next.tag, job.workflow, state, min(grp), count(*)
    FROM job_tag JOIN job USING (number)
    WHERE tag = next.tag AND job_tag.number > next.covered AND job_tag.number <= upto GROUP BY job.workflow, state
    ON CONFLICT (tag, workflow, state) DO UPDATE SET jobs = known.jobs + excluded.jobs;
    UPDATE counted_tag SET covered = upto WHERE tag = next.tag;
END
$$

-- name: add_shifts
-- Adds what has changed to the counts of tags, as far as the jobs were counted.
WITH
gone AS (
    DELETE FROM tag_shift WHERE ctid = ANY (ARRAY (SELECT ctid FROM tag_shift LIMIT :most))
    RETURNING *
)
INSERT INTO tag_count AS known (tag, workflow, state, grp, jobs)
SELECT tag, workflow, state, min(grp), sum(jobs)
FROM (
    SELECT number, workflow, state_before AS state, grp_before AS grp, unnest(tags_before) AS tag, -1 AS jobs FROM gone
    WHERE state_before IS NOT NULL
    UNION ALL
    SELECT number, workflow, state, grp, unnest(coalesce(tags, tags_before)), 1 FROM gone WHERE state IS NOT NULL
) AS each_tag
JOIN counted_tag USING (tag)
WHERE number <= covered
GROUP BY tag, workflow, state HAVING sum(jobs) <> 0
ORDER BY tag, workflow, state
ON CONFLICT (tag, workflow, state) DO UPDATE SET jobs = known.jobs + excluded.jobs

-- name: is_counted
-- For jobs, and for tags: whether what was counted so far is true, or nothing ever was; and whether that is all there is.
SELECT
    counted IN (head, -1), counted = head AND covered = 9223372036854775807,
    tag_counted IN (head, -1),
    tag_counted = head AND NOT EXISTS (SELECT FROM counted_tag WHERE counted_tag.covered < 9223372036854775807)
FROM log

-- name: has_shifts
SELECT EXISTS (SELECT FROM tag_shift)

-- name: choose_tags
-- More tags to be counted: those that $1 jobs have at least, as the statistics of PostgreSQL say, and the table.
INSERT INTO counted_tag (tag)
SELECT tag
FROM (
    SELECT unnest(most_common_vals::text::text[]) AS tag, unnest(most_common_freqs) * reltuples AS jobs
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_stats ON schemaname = nspname AND tablename = relname AND attname = 'tag'
    WHERE pg_class.oid = 'job_tag'::regclass
) AS frequent
WHERE jobs >= $1 AND tag NOT IN (SELECT tag FROM counted_tag)
    AND (SELECT count(*) FROM (SELECT FROM job_tag WHERE job_tag.tag = frequent.tag LIMIT $1) AS some_jobs) = $1
ON CONFLICT (tag) DO NOTHING

-- name: forget_counts
DELETE FROM job_count WHERE jobs = 0 AND workflow NOT IN (SELECT number FROM current_workflow)

-- name: forget_tags
-- Tags that fewer than $1 jobs have by now are counted no more.
DELETE FROM counted_tag
WHERE covered = 9223372036854775807 AND EXISTS (SELECT FROM log WHERE tag_counted = head)
    AND (SELECT coalesce(sum(jobs), 0) FROM tag_count WHERE tag_count.tag = counted_tag.tag) < $1

-- name: forget_counts_of_tags
DELETE FROM tag_count
WHERE tag NOT IN (SELECT tag FROM counted_tag)
    OR (jobs = 0 AND workflow NOT IN (SELECT number FROM current_workflow))

-- name: count_imported
-- Nobody else changes anything. Which tags are counted: those that $1 jobs have at least, and $2 of them at most.
WITH
jobs AS (
    INSERT INTO job_count (workflow, state, grp, jobs)
    SELECT workflow, state, min(grp), count(*) FROM job GROUP BY workflow, state
),
chosen AS (
    INSERT INTO counted_tag (tag, covered)
    SELECT tag, 9223372036854775807 FROM job_tag GROUP BY tag HAVING count(*) >= $1 ORDER BY count(*) DESC, tag LIMIT $2
    RETURNING tag
),
tags AS (
    INSERT INTO tag_count (tag, workflow, state, grp, jobs)
    SELECT tag, workflow, state, min(grp), count(*)
    FROM job CROSS JOIN LATERAL unnest(tag_keys) AS own (tag) JOIN chosen USING (tag)
    GROUP BY tag, workflow, state
)
UPDATE log SET counted = head, covered = 9223372036854775807, tag_counted = head

-- name: describe
SELECT pg_database_size(current_database()), current_setting('server_version'), (SELECT count(*) FROM tombstone)

-- name: create_workflow
WITH
me AS MATERIALIZED (SELECT id FROM writer WHERE id = $1 AND epoch = $2 AND :durable FOR UPDATE),
made AS (
    INSERT INTO workflow (name, document) SELECT $4, $5 FROM me RETURNING number
),
named AS (
    INSERT INTO current_workflow (name, number) SELECT $4, number FROM made RETURNING number
),
counter AS (
    UPDATE log
    SET head = head + 1, counted = CASE counted WHEN head THEN head + 1 ELSE counted END,
        tag_counted = CASE tag_counted WHEN head THEN head + 1 ELSE tag_counted END
    WHERE (SELECT count(*) FROM named) = 1
    RETURNING head AS seq
),
events AS (
    INSERT INTO event (seq, ctime, action, job_id, client_id, workflow, payload, cause)
    SELECT seq, $6, 'CREATE', '', '', number, $7, $8 FROM counter, named
),
told AS (
    UPDATE writer SET batch = $3, first_seq = (SELECT seq FROM counter), stale = '{}', done = true, seen = now()
    WHERE id IN (SELECT id FROM me)
)
SELECT seq, number, pg_notify('wfx_log', '') FROM counter, named

-- name: workflow_of_event
SELECT workflow.number, document FROM event JOIN workflow ON workflow.number = event.workflow WHERE seq = $1

-- name: delete_workflow
-- A job that is created at the same time violates its foreign key, or this statement does.
WITH
me AS MATERIALIZED (SELECT id FROM writer WHERE id = $1 AND epoch = $2 AND :durable FOR UPDATE),
gone AS (
    DELETE FROM current_workflow
    WHERE name = $4 AND EXISTS (SELECT FROM me)
        AND NOT EXISTS (SELECT FROM job WHERE job.workflow = current_workflow.number)
    RETURNING number
),
counter AS (
    UPDATE log
    SET head = head + 1, counted = CASE counted WHEN head THEN head + 1 ELSE counted END,
        tag_counted = CASE tag_counted WHEN head THEN head + 1 ELSE tag_counted END
    WHERE (SELECT count(*) FROM gone) = 1
    RETURNING head AS seq
),
hidden AS (
    UPDATE workflow SET deleted = seq FROM counter, gone WHERE workflow.number = gone.number
),
events AS (
    INSERT INTO event (seq, ctime, action, job_id, client_id, workflow, payload, cause)
    SELECT seq, $5, 'DELETE', '', '', number, $6, $7 FROM counter, gone
),
told AS (
    UPDATE writer SET batch = $3, first_seq = (SELECT seq FROM counter), stale = '{}', done = true, seen = now()
    WHERE id IN (SELECT id FROM me)
    RETURNING id
)
SELECT
    seq, gone.number, document, EXISTS (SELECT FROM current_workflow WHERE current_workflow.name = $4) AS present,
    CASE WHEN seq IS NOT NULL THEN pg_notify('wfx_log', '') END
FROM told LEFT JOIN (counter CROSS JOIN gone JOIN workflow ON workflow.number = gone.number) ON true

-- name: horizon_to_prune_to
-- $1 keep_newest, $2 older_than, $3 at_most, $4 keep_for_consumers, $5 now.
-- Behind what the number kept allows, age decides: up to the first event that is young enough to stay. Events from the
-- future say nothing of that; they are as old as the next one that does, and stay where there is none.
WITH
bound AS (
    SELECT
        head, horizon AS old, least(horizon + $3, head) AS last,
        greatest(horizon, least(least(horizon + $3, head), head - $1)) AS beyond
    FROM log
),
reached AS (
    SELECT
        bound.*, coalesce((
            SELECT seq - 1 FROM event
            WHERE seq > beyond AND seq <= last AND ctime >= $2 AND ctime <= $5 ORDER BY seq LIMIT 1
        ), last) AS stop
    FROM bound
),
aged AS (
    SELECT
        reached.*, CASE
            WHEN coalesce((SELECT ctime FROM event WHERE seq > stop AND ctime <= $5 ORDER BY seq LIMIT 1), $5) < $2
                THEN stop
            ELSE greatest(beyond, coalesce((
                SELECT seq FROM event WHERE seq <= stop AND seq > beyond AND ctime < $2 ORDER BY seq DESC LIMIT 1
            ), 0))
        END AS wanted
    FROM reached
)
SELECT
    old,
    greatest(old, least(wanted, CASE WHEN slowest IS NULL THEN wanted ELSE greatest(slowest, head - $4) END))
FROM aged, (SELECT min(position) AS slowest FROM consumer) AS read

-- name: prune
-- From horizon $1 to $2, unless somebody else has pruned meanwhile.
WITH
before AS MATERIALIZED (SELECT horizon FROM log WHERE horizon = $1),
moved AS (
    UPDATE consumer SET position = $2, lost = lost + $2 - position
    WHERE position < $2 AND EXISTS (SELECT FROM before)
    RETURNING 1
),
gone AS (
    DELETE FROM event WHERE seq <= $2 AND EXISTS (SELECT FROM before)
    RETURNING 1
)
UPDATE log SET horizon = $2
WHERE horizon = $1 AND (SELECT count(*) FROM moved) + (SELECT count(*) FROM gone) >= 0
RETURNING 1

-- name: forget_workflows
DELETE FROM workflow
WHERE deleted <= (SELECT horizon FROM log) AND NOT EXISTS (SELECT FROM current_workflow WHERE number = workflow.number)

-- name: drop_left_histories
WITH
one AS (
    SELECT job FROM left_history ORDER BY job LIMIT 1 FOR UPDATE SKIP LOCKED
),
part AS (
    SELECT job, version FROM history WHERE job = (SELECT job FROM one) ORDER BY version DESC LIMIT $1
),
gone AS (
    DELETE FROM history USING part WHERE history.job = part.job AND history.version = part.version
    RETURNING 1
),
finished AS (
    DELETE FROM left_history WHERE job = (SELECT job FROM one) AND (SELECT count(*) FROM gone) < $1
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone), EXISTS (SELECT FROM one)

-- name: tombstone
SELECT id, client_id, workflow, state, stime, mtime, definition_hash, definition
FROM tombstone WHERE id = $1 AND mtime >= $2

-- name: drop_tombstones
WITH
oldest AS MATERIALIZED (SELECT number, mtime FROM tombstone ORDER BY number LIMIT $1 FOR UPDATE SKIP LOCKED),
gone AS (
    DELETE FROM tombstone USING oldest
    WHERE tombstone.number = oldest.number
        AND (oldest.mtime < $2 OR oldest.number <= (SELECT max(number) FROM tombstone) - $3)
    RETURNING 1
)
SELECT count(*) FROM gone

-- name: create_consumer
-- Locks the log, so that no event is pruned between its head and the consumer's place.
INSERT INTO consumer (name, position, steps, lost)
SELECT $1, head, 0, 0 FROM (SELECT head FROM log FOR UPDATE) AS now WHERE to_regclass('import_progress') IS NULL
ON CONFLICT (name) DO NOTHING

-- name: consumer
SELECT name, position, steps, lost FROM consumer WHERE name = $1

-- name: consumers
SELECT name, position, steps, lost FROM consumer ORDER BY name

-- name: take_lease
-- By the clock of the database, which is the same for all servers, for $3 microseconds. One that ends later than twice
-- that from now on is from before the clock was set back.
INSERT INTO lease (name, holder, epoch, until)
VALUES ($1, $2, 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $3)
ON CONFLICT (name) DO UPDATE
SET holder = $2, epoch = lease.epoch + (lease.holder <> $2)::int, until = excluded.until
WHERE lease.until <= excluded.until - $3 OR lease.until > excluded.until + $3 OR lease.holder = $2
RETURNING epoch, until

-- name: end_leases
UPDATE lease SET until = 0 WHERE holder = $1

-- name: bulk_request
SELECT fingerprint, content, total, done, failed FROM bulk_request WHERE key = $1

-- name: open_bulk_request
-- Makes it or takes it over, for $7 microseconds by the clock of the database. Nothing where another server has it, or if it
-- is another request. A time that is later than from now on is from before the clock was set back.
INSERT INTO bulk_request (key, fingerprint, content, total, done, failed, created, holder, until, size)
VALUES ($1, $2, $3, $4, 0, 0, $5, $6, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $7, $8)
ON CONFLICT (key) DO UPDATE
SET holder = $6, until = excluded.until
WHERE bulk_request.fingerprint = $2 AND (
    bulk_request.holder = $6 OR bulk_request.done >= bulk_request.total
    OR bulk_request.until <= excluded.until - $7 OR bulk_request.until > excluded.until + $7
)
RETURNING fingerprint, content, total, done, failed

-- name: leave_bulk_requests
UPDATE bulk_request SET until = 0 WHERE holder = $1 AND done < total

-- name: bulk_results
SELECT results FROM bulk_slice WHERE request = (SELECT number FROM bulk_request WHERE key = $1) ORDER BY first

-- name: expire_bulk_requests
-- What is too old, and of requests that are done those beside which newer ones have too many bytes.
UPDATE bulk_request SET key = NULL
WHERE number IN (
    SELECT number
    FROM (
        SELECT number, created, done >= total AS is_done, sum(size) OVER (
            ORDER BY number DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS newer
        FROM bulk_request WHERE key IS NOT NULL
    ) AS kept
    WHERE created < $1 OR (is_done AND newer >= $2)
    ORDER BY number LIMIT $3
)

-- name: drop_bulk_slices
WITH
one AS (
    SELECT number FROM bulk_request WHERE key IS NULL ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED
),
gone AS (
    DELETE FROM bulk_slice
    WHERE request = (SELECT number FROM one)
        AND first IN (SELECT first FROM bulk_slice WHERE request = (SELECT number FROM one) ORDER BY first LIMIT $1)
    RETURNING 1
),
finished AS (
    DELETE FROM bulk_request WHERE number = (SELECT number FROM one) AND (SELECT count(*) FROM gone) < $1
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM finished), EXISTS (SELECT FROM one)

-- name: history_links
SELECT version, :size(status) + coalesce(:size(definition), 0)
FROM history WHERE job = $1 ORDER BY version DESC

-- name: lock_job
SELECT id FROM job WHERE number = $1 FOR UPDATE

-- name: entry_status
SELECT status FROM history WHERE job = $1 AND version = $2

-- name: mark_entry
UPDATE history SET status = $3, definition = NULL WHERE job = $1 AND version = $2

-- name: drop_middle
DELETE FROM history WHERE job = $1 AND version > $2 AND version < $3

-- name: trimmed_job
UPDATE job SET history_bytes = history_bytes - $2, history_dropped = history_dropped + $3 WHERE number = $1

-- name: dump_header
SELECT
    log_id, horizon, head, (SELECT count(*) FROM workflow), (SELECT count(*) FROM job), (SELECT count(*) FROM event),
    (SELECT count(*) FROM consumer), (SELECT count(*) FROM device), (SELECT count(*) FROM task),
    (SELECT count(*) FROM score), (SELECT count(*) FROM sequence), (SELECT count(*) FROM script)
FROM log

-- name: dump_tasks
SELECT key, kind, state, due, attempts, ctime, mtime, input, result, cause FROM task ORDER BY id

-- name: dump_scores
SELECT key, actor_id, points, reason, ctime FROM score ORDER BY number

-- name: dump_sequences
SELECT name, value FROM sequence ORDER BY name

-- name: dump_scripts
SELECT script.name, script.sha256, ctime, current_script.name IS NOT NULL, findings, source
FROM script LEFT JOIN current_script USING (name, sha256) ORDER BY number

-- name: sum_imported_scores
INSERT INTO score_total (actor_id, points) SELECT actor_id, sum(points) FROM score GROUP BY actor_id
ON CONFLICT (actor_id) DO UPDATE SET points = excluded.points

-- name: dump_workflows
SELECT number, created, deleted, document
FROM workflow LEFT JOIN (
    SELECT workflow, min(seq) AS created FROM event WHERE job_id = '' AND action = 'CREATE' GROUP BY workflow
) AS told ON told.workflow = workflow.number
ORDER BY number

-- name: dump_jobs
SELECT
    number, id, client_id, workflow, state, stime, mtime, version, definition_hash, tags, status, definition, size,
    history_bytes, history_dropped, overtaken
FROM job WHERE number = ANY ($1::bigint[]) ORDER BY number

-- name: sizes_of_jobs
SELECT number, size + history_bytes FROM job ORDER BY number

-- name: dump_histories
SELECT job, history.version, history.mtime, history.status, history.definition, NULL, NULL, id
FROM history JOIN job ON number = job WHERE job = ANY ($1::bigint[]) ORDER BY job, history.version

-- name: sizes_of_entries
SELECT job, version, mtime, :size(status) + coalesce(:size(definition), 0)
FROM history WHERE job IN (SELECT number FROM job) ORDER BY job, version

-- name: dump_devices
SELECT client_id, first_seen, last_seen, version, unclaimed, description FROM device ORDER BY client_id

-- name: dump_events
SELECT seq, ctime, action, job_id, client_id, workflow, payload, state_before, cause
FROM event WHERE seq = ANY ($1::bigint[]) ORDER BY seq

-- name: sizes_of_events
SELECT seq, octet_length(payload) FROM event ORDER BY seq

-- name: keep_writers_out
-- Waits for what servers are writing; what they send later finds the import under way.
LOCK TABLE writer, consumer IN SHARE ROW EXCLUSIVE MODE

-- name: count_servers
-- A server that was killed leaves its row, and nobody else is connected; a pooler may be in between.
SELECT count(*) FROM writer WHERE EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid()
)

-- name: take_over_writers
DELETE FROM writer

-- name: is_unused
SELECT
    head = 0 AND NOT EXISTS (SELECT FROM workflow) AND NOT EXISTS (SELECT FROM consumer)
    AND NOT EXISTS (SELECT FROM device) AND NOT EXISTS (SELECT FROM event_answer) AND NOT EXISTS (SELECT FROM score)
    AND NOT EXISTS (SELECT FROM task) AND NOT EXISTS (SELECT FROM sequence) AND NOT EXISTS (SELECT FROM script)
FROM log FOR UPDATE

-- name: begin_import
CREATE TABLE import_progress (header text NOT NULL, records bigint NOT NULL, digest text NOT NULL)

-- name: versions
SELECT version, oldest FROM wfx_schema

-- name: set_versions
UPDATE wfx_schema SET version = $1, oldest = greatest(oldest, $2)

-- name: note_import
INSERT INTO import_progress VALUES ($1, 0, '')

-- name: import_of
SELECT header, records, digest FROM import_progress

-- name: import_goes_on
UPDATE import_progress SET records = $2, digest = $3 WHERE records = $1 RETURNING records

-- name: end_import
DROP TABLE import_progress

-- name: analyze_imported
-- Else the check, and the first searches, are planned as if the tables were empty.
ANALYZE workflow, job, history, event, device, job_tag

-- name: discard_import
-- The table goes first: where it is not there any more, the import was finished by another one, and nothing happens.
DROP TABLE import_progress;
TRUNCATE
    workflow, current_workflow, job, history, event, consumer, device, job_count, job_tag, counted_tag, tag_count, tag_shift,
    task, score, score_total, sequence, script, current_script;
UPDATE log SET head = 0, horizon = 0, counted = 0, covered = 9223372036854775807, tag_counted = 0

-- name: lock_head
SELECT head FROM log FOR UPDATE

-- name: set_log
UPDATE log SET head = $1, horizon = $2, counted = -1, tag_counted = -1

-- name: number_next_workflow
SELECT setval(pg_get_serial_sequence('workflow', 'number'), coalesce(max(number), 1), max(number) IS NOT NULL) FROM workflow

-- name: tables_of
SELECT relname FROM pg_class WHERE pg_table_is_visible(oid) AND relkind IN ('r', 'p') AND relname = ANY ($1::text[])

-- name: reference_counts
SELECT
    (SELECT count(*) FROM workflow), (SELECT count(*) FROM job),
    (SELECT count(*) FROM history WHERE job_history IN (SELECT id FROM job))

-- name: reference_workflows
SELECT
    id AS number, name, to_jsonb(workflow) ->> 'description' AS description, states::text AS states,
    transitions::text AS transitions, groups::text AS groups
FROM workflow ORDER BY id

-- name: reference_jobs
SELECT
    row_number() OVER (ORDER BY stime, id COLLATE "C"), id, client_id, workflow_jobs, stime::text, mtime::text,
    status::text, definition::text
FROM job ORDER BY 1

-- name: reference_tags
SELECT number, name
FROM (SELECT row_number() OVER (ORDER BY stime, id COLLATE "C") AS number, id FROM job) AS numbered
JOIN tag_jobs ON job_id = numbered.id JOIN tag ON tag.id = tag_id ORDER BY number

-- name: reference_entries
SELECT number, mtime::text, status::text, definition::text
FROM (SELECT row_number() OVER (ORDER BY stime, id COLLATE "C") AS number, id FROM job) AS numbered
JOIN history ON job_history = numbered.id ORDER BY number, history.id

-- name: lock_buckets
--- Buckets by their keys, which are made if need be and locked in order; the last one tells the time when all are.
INSERT INTO limit_bucket AS kept (key) SELECT key FROM unnest($1::text[]) AS asked (key) ORDER BY key
ON CONFLICT (key) DO UPDATE SET key = excluded.key
RETURNING key, periods, missing, at, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint

-- name: keep_bucket
UPDATE limit_bucket SET periods = $2, missing = $3, at = $4, full_at = $5 WHERE key = $1

-- name: look_at_buckets
SELECT kept.periods, kept.missing, kept.at, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
FROM unnest($1::text[]) WITH ORDINALITY AS asked (key, place) LEFT JOIN limit_bucket AS kept USING (key) ORDER BY place

-- name: forget_full_buckets
DELETE FROM limit_bucket WHERE ctid = ANY (ARRAY (
    SELECT ctid FROM limit_bucket WHERE full_at < extract(epoch FROM clock_timestamp()) * 1000 LIMIT $1 FOR UPDATE SKIP LOCKED
))

-- name: devices_in_range
SELECT client_id, last_seen, version FROM device
WHERE client_id :comparison $1 AND client_id < $2 AND ($4::text[] IS NULL OR keys @> $4)
ORDER BY client_id :order LIMIT $3

-- name: clients_in_range
-- Clients that jobs are for, from one to the next in the index: a client may have many jobs. Ids that are longer are of none.
WITH RECURSIVE client (found) AS (
    (
        SELECT left(client_id, 500) FROM job
        WHERE left(client_id, 500) :comparison $1 AND left(client_id, 500) < $2 ORDER BY 1 :order LIMIT 1
    )
    UNION ALL
    SELECT (SELECT left(client_id, 500) FROM job WHERE :step ORDER BY 1 :order LIMIT 1) FROM client WHERE found IS NOT NULL
)
SELECT found FROM client WHERE found IS NOT NULL LIMIT $3

-- name: has_clients_between
-- Whether there are jobs of clients whose ids are from one of $1 on and before that of $2 in its place.
SELECT EXISTS (
    SELECT FROM unnest($1::text[], $2::text[]) AS gap (first, behind)
    WHERE EXISTS (SELECT FROM job WHERE left(client_id, 500) >= gap.first AND left(client_id, 500) < gap.behind)
)

-- name: devices_by_id
SELECT client_id, first_seen, last_seen, version, description FROM device WHERE client_id = ANY ($1::text[])

-- name: jobs_of_devices
-- Of the newest jobs of each client the newest one that has not ended, and the newest one that has.
SELECT client, has_ended, chosen.id, name, grp, state, mtime
FROM unnest($1::text[]) AS asked (client)
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (has_ended) *
    FROM (
        SELECT number, job.id, workflow, grp, state, mtime, grp IN ('CLOSED', 'FAILED') AS has_ended
        FROM job WHERE left(client_id, 500) = left(client, 500) AND client_id = client ORDER BY number DESC LIMIT $2
    ) AS newest
    ORDER BY has_ended, number DESC
) AS chosen
JOIN workflow ON workflow.number = chosen.workflow

-- name: is_device
SELECT
    EXISTS (SELECT FROM device WHERE client_id = $1),
    EXISTS (SELECT FROM job WHERE left(client_id, 500) = left($1, 500) AND client_id = $1)

-- name: forget_unclaimed
-- Devices without jobs that were not seen since $1, $2 of them, if there is no room for as many.
DELETE FROM device WHERE (SELECT count(*) FROM device WHERE unclaimed) + $2 > $3 AND client_id = ANY (ARRAY (
    SELECT client_id FROM device
    WHERE unclaimed AND last_seen < $1 AND NOT EXISTS (
        SELECT FROM job WHERE left(job.client_id, 500) = left(device.client_id, 500) AND job.client_id = device.client_id
    )
    ORDER BY client_id LIMIT $2
    FOR UPDATE SKIP LOCKED
))

-- name: note_sightings
-- The latest sighting counts, whichever server it was by. Of new devices without jobs only so many are kept that there are no
-- more than $5. Rows are locked in order. The answer is how many were left out.
WITH
asked AS MATERIALIZED (
    SELECT
        seen.client, since, latest, release, device.client_id IS NULL AS is_new,
        coalesce(device.unclaimed, true) AND NOT EXISTS (
            SELECT FROM job WHERE left(job.client_id, 500) = left(seen.client, 500) AND job.client_id = seen.client
        ) AS unclaimed
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[]) AS seen (client, since, latest, release)
    LEFT JOIN device ON device.client_id = seen.client
),
fitting AS MATERIALIZED (
    SELECT *
    FROM (SELECT *, count(*) FILTER (WHERE is_new AND unclaimed) OVER (ORDER BY client) AS nth FROM asked) AS counted
    WHERE NOT (is_new AND unclaimed) OR nth <= $5 - (SELECT count(*) FROM device WHERE device.unclaimed)
),
noted AS (
    INSERT INTO device AS known (client_id, first_seen, last_seen, version, unclaimed)
    SELECT client, since, latest, release, unclaimed FROM fitting ORDER BY client
    ON CONFLICT (client_id) DO UPDATE SET
        first_seen = least(known.first_seen, excluded.first_seen),
        last_seen = greatest(known.last_seen, excluded.last_seen),
        version = CASE
            WHEN excluded.version = '' OR known.last_seen > excluded.last_seen THEN known.version
            ELSE excluded.version
        END,
        unclaimed = known.unclaimed AND excluded.unclaimed
)
SELECT (SELECT count(*) FROM asked) - (SELECT count(*) FROM fitting)

-- name: describe_device
-- $4 are the tags of the descriptions that may be there, NULL for any, and $5 that of none.
INSERT INTO device AS known (client_id, version, unclaimed, description, keys)
SELECT $1, '', false, $2, $3
WHERE $4::text[] IS NULL OR $5 = ANY($4) OR EXISTS (SELECT FROM device WHERE client_id = $1)
ON CONFLICT (client_id) DO UPDATE SET description = excluded.description, keys = excluded.keys, unclaimed = false
WHERE $4::text[] IS NULL
    OR left(encode(sha256(convert_to(known.description, 'UTF8')), 'hex'), 32) = ANY($4)
RETURNING 1

-- name: delete_device
DELETE FROM device
WHERE client_id = $1 AND NOT EXISTS (
    SELECT FROM job WHERE left(job.client_id, 500) = left($1, 500) AND job.client_id = $1
)
RETURNING 1

-- name: claim_tasks
-- $1 kinds, $2 now, $3 at most, $4 for how many microseconds, by the clock of the database, which is the same for all servers;
-- what waits is due by that of the server, which is what made it due.
WITH
clock AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS present),
candidates AS MATERIALIZED (
    SELECT found.* FROM unnest($1::text[]) AS wanted (kind), clock, LATERAL (
        SELECT id, due FROM task
        WHERE task.kind = wanted.kind AND state IN ('WAITING', 'RUNNING') AND due <= greatest($2::bigint, present)
            AND due <= CASE state WHEN 'WAITING' THEN $2::bigint ELSE present END
        ORDER BY due, id LIMIT $3 FOR UPDATE SKIP LOCKED
    ) AS found
),
chosen AS MATERIALIZED (SELECT id, due FROM candidates ORDER BY due, id LIMIT $3),
claimed AS (
    UPDATE task SET state = 'RUNNING', attempts = attempts + 1, due = present + $4, mtime = $2
    FROM chosen, clock WHERE task.id = chosen.id
    RETURNING
        task.id, key, kind, state, task.due, attempts, ctime, mtime, input, result, cause, chosen.due AS was_due
)
SELECT id, key, kind, state, due, attempts, ctime, mtime, input, result, cause FROM claimed ORDER BY was_due, id

-- name: next_task_due
SELECT min(found.due) FROM unnest($1::text[]) AS wanted (kind), LATERAL (
    SELECT min(due) AS due FROM task WHERE task.kind = wanted.kind AND state IN ('WAITING', 'RUNNING')
) AS found

-- name: open_tasks
SELECT kind, count(*) FROM task WHERE state IN ('WAITING', 'RUNNING') GROUP BY kind

-- name: task_by_id
SELECT id, key, kind, state, due, attempts, ctime, mtime, input, result, cause FROM task WHERE id = $1

-- name: tasks_page
-- Up to so many, and so many bytes of documents; the first one in any case.
SELECT id, key, kind, state, due, attempts, ctime, mtime, input, result, cause
FROM (
    SELECT
        *, sum(octet_length(input) + coalesce(octet_length(result), 0)) OVER (ORDER BY id :order) AS upto,
        row_number() OVER (ORDER BY id :order) AS nth
    FROM (SELECT * FROM task WHERE :conditions id :comparison $1 ORDER BY id :order LIMIT $2) AS part
) AS measured
WHERE upto <= $3 OR nth = 1
ORDER BY id :order

-- name: replay_task
-- It may be waiting as it was made by this: the answer may have been lost.
UPDATE task SET state = 'WAITING', due = $2, mtime = $2
WHERE id = $1 AND (state = 'FAILED' OR (state = 'WAITING' AND due = $2 AND mtime = $2))
RETURNING id, key, kind, state, due, attempts, ctime, mtime, input, result, cause

-- name: hasten_tasks
WITH hastened AS (
    UPDATE task SET due = $2
    WHERE kind = ANY($1::text[]) AND state = 'WAITING' AND due > $2 AND ($3::bigint[] IS NULL OR id = ANY($3))
    RETURNING id
)
SELECT count(*) FROM hastened

-- name: drop_tasks
-- From before $1, and beyond $2; $3 at most.
WITH
oldest AS MATERIALIZED (
    SELECT id, mtime FROM task WHERE state IN ('DONE', 'FAILED') ORDER BY mtime, id LIMIT $3 FOR UPDATE SKIP LOCKED
),
gone AS (
    DELETE FROM task WHERE id IN (
        SELECT id FROM (SELECT id, mtime, row_number() OVER (ORDER BY mtime, id) AS nth FROM oldest) AS ordered
        WHERE mtime < $1 OR nth <= (SELECT count(*) FROM task WHERE state IN ('DONE', 'FAILED')) - $2
    )
    RETURNING 1
)
SELECT count(*) FROM gone

-- name: event_answers
SELECT key, answer FROM event_answer WHERE key = ANY ($1::text[])

-- name: measure_event_answers
SELECT count(*), coalesce(sum(size), 0)::bigint FROM event_answer

-- name: oldest_event_answers
SELECT number, created, size FROM event_answer ORDER BY created, number LIMIT $1

-- name: delete_event_answers
DELETE FROM event_answer WHERE number = ANY ($1::bigint[])

-- name: score_totals
SELECT actor_id, points FROM score_total WHERE actor_id = ANY ($1::text[])

-- name: scores
SELECT number, key, actor_id, points, reason, ctime FROM score
WHERE number > $1 AND ($3::text IS NULL OR actor_id = $3) ORDER BY number LIMIT $2

-- name: sequences
SELECT name, value FROM sequence WHERE name = ANY ($1::text[])

-- name: repetitions
SELECT element, times FROM repetition WHERE root = $1

-- name: drop_repetitions
WITH
old AS MATERIALIZED (
    SELECT root, element FROM repetition WHERE mtime < $1 ORDER BY mtime LIMIT $2 FOR UPDATE SKIP LOCKED
),
gone AS (
    DELETE FROM repetition USING old WHERE repetition.root = old.root AND repetition.element = old.element
    RETURNING 1
)
SELECT count(*) FROM gone

-- name: put_script
-- Nothing if there are $7 scripts, and none of this name.
WITH
before AS (SELECT sha256 FROM current_script WHERE name = $1),
room AS (SELECT EXISTS (SELECT FROM before) OR (SELECT count(*) FROM current_script) < $7 AS is_there),
version AS (
    INSERT INTO script (name, sha256, ctime, size, findings, source)
    SELECT $1, $2, $3, $4, $5, $6 FROM room WHERE is_there
    ON CONFLICT (name, sha256) DO UPDATE SET number = DEFAULT, ctime = excluded.ctime, findings = excluded.findings
    RETURNING 1
),
put AS (
    INSERT INTO current_script (name, sha256) SELECT $1, $2 FROM room WHERE is_there
    ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256
    RETURNING 1
)
SELECT is_there, (SELECT sha256 FROM before) FROM room

-- name: delete_script
DELETE FROM current_script WHERE name = $1 RETURNING name

-- name: drop_old_scripts
-- By number: one that another server puts meanwhile gets another, and stays.
DELETE FROM script USING (
    SELECT number FROM script WHERE NOT EXISTS (
        SELECT FROM current_script WHERE current_script.name = script.name AND current_script.sha256 = script.sha256
    )
    ORDER BY number DESC OFFSET $1
) AS old
WHERE script.number = old.number

-- name: script
SELECT script.name, script.sha256, ctime, size, findings, current_script.name IS NOT NULL, source
FROM script LEFT JOIN current_script USING (name, sha256)
WHERE script.name = $1 AND script.sha256 = coalesce($2, (SELECT sha256 FROM current_script WHERE name = $1))

-- name: scripts
SELECT name, sha256, ctime, size, findings, true
FROM current_script JOIN script USING (name, sha256) WHERE name > $1 ORDER BY name LIMIT $2

-- name: script_versions
SELECT script.name, script.sha256, ctime, size, findings, current_script.name IS NOT NULL
FROM script LEFT JOIN current_script USING (name, sha256) WHERE script.name = $1 ORDER BY number DESC
