-- Writes one batch, and commits by itself. Only in READ COMMITTED.
--
-- Locks, in this order, so that no two servers ever wait for each other: the server's own row, the jobs by number, the
-- workflows of new jobs, sequences by name, the consumer of a step, the record of a bulk request, the id of an event from
-- outside or the task that ends, what rules leave, the log, the counts of jobs. What waited for a lock sees the newest row. A job that has another version than the batch was decided on is left out and named, and so
-- is a new job whose workflow is gone. A job that is changed and stays in its state, with its tags, changes no count.

-- name: apply
WITH
me AS MATERIALIZED (SELECT id FROM writer WHERE id = $1 AND epoch = $2 AND :durable FOR UPDATE),
want AS MATERIALIZED (
    SELECT * FROM unnest(
        $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::bigint[], $11::text[],
        $12::text[], $13::text[], $14::text[], $15::boolean[], $16::text[], $17::bigint[], $18::bigint[], $19::boolean[],
        $50::text[]
    ) AS want (
        number, id, expected, version, state, grp, mtime, hash,
        tags, tag_keys, status, redefined, definition, size, added_bytes, leaves_history, overtaken
    )
),
fresh AS MATERIALIZED (
    SELECT * FROM unnest(
        $20::bigint[], $21::text[], $22::text[], $23::bigint[], $24::text[], $25::text[], $26::bigint[], $27::bigint[],
        $28::bigint[], $29::text[], $30::text[], $31::text[], $32::text[], $33::text[], $34::bigint[], $35::bigint[]
    ) AS fresh (
        place, id, client_id, workflow, state, grp, stime, mtime,
        version, hash, tags, tag_keys, status, definition, size, history_bytes
    )
),
locked AS MATERIALIZED (
    SELECT number, version, workflow, state, grp, tag_keys FROM job
    WHERE EXISTS (SELECT FROM me) AND number = ANY ($4::bigint[]) ORDER BY number FOR UPDATE
),
flows AS MATERIALIZED (
    SELECT number FROM current_workflow
    WHERE EXISTS (SELECT FROM me) AND (SELECT count(*) FROM locked) >= 0 AND number = ANY ($23::bigint[])
    ORDER BY number FOR KEY SHARE
),
good AS MATERIALIZED (
    SELECT
        want.*, locked.workflow, locked.state AS state_before, locked.grp AS grp_before, locked.tag_keys AS tags_before
    FROM want JOIN locked ON locked.number = want.number AND locked.version = want.expected
),
stale AS MATERIALIZED (
    SELECT id FROM want WHERE number NOT IN (SELECT number FROM good)
    UNION ALL
    SELECT id FROM fresh WHERE workflow NOT IN (SELECT number FROM flows)
),
:go
:records
news AS MATERIALIZED (
    SELECT event.*, row_number() OVER (ORDER BY place) AS nth
    FROM unnest(
        $36::bigint[], $37::text[], $38::text[], $39::text[], $40::bigint[], $41::text[], $42::text[], $43::text[]
    ) WITH ORDINALITY AS event (ctime, action, job_id, client_id, workflow, payload, state_before, cause, place)
    WHERE EXISTS (SELECT FROM go) AND job_id NOT IN (SELECT id FROM stale)
),
size AS MATERIALIZED (SELECT count(*) AS events FROM news),
changed AS (
    UPDATE job
    SET version = good.version, state = good.state, grp = good.grp, mtime = good.mtime, definition_hash = good.hash,
        tags = coalesce(good.tags, job.tags), tag_keys = coalesce(good.tag_keys::text[], job.tag_keys), status = good.status,
        definition = CASE WHEN good.redefined THEN good.definition ELSE job.definition END, size = good.size,
        history_bytes = job.history_bytes + good.added_bytes, overtaken = good.overtaken
    FROM good
    WHERE EXISTS (SELECT FROM go) AND job.number = good.number AND good.version > 0
    RETURNING 1
),
gone AS (
    DELETE FROM job USING good
    WHERE EXISTS (SELECT FROM go) AND job.number = good.number AND good.version = 0
    RETURNING
        job.number, good.leaves_history, job.id, job.client_id, job.workflow, good.state, job.stime, good.mtime,
        good.hash, good.definition
),
buried AS (
    INSERT INTO tombstone (id, client_id, workflow, state, stime, mtime, definition_hash, definition)
    SELECT id, client_id, workflow, state, stime, mtime, hash, definition FROM gone
    ON CONFLICT (id) DO UPDATE
    SET number = DEFAULT, client_id = excluded.client_id, workflow = excluded.workflow, state = excluded.state,
        stime = excluded.stime, mtime = excluded.mtime, definition_hash = excluded.definition_hash,
        definition = excluded.definition
    RETURNING 1
),
dropped AS (
    DELETE FROM history USING gone WHERE history.job = gone.number AND NOT gone.leaves_history
    RETURNING 1
),
leftover AS (
    INSERT INTO left_history (job) SELECT number FROM gone WHERE leaves_history
    RETURNING 1
),
counter AS (
    UPDATE log
    SET head = head + (SELECT events FROM size),
        counted = CASE counted WHEN head THEN head + (SELECT events FROM size) ELSE counted END,
        tag_counted = CASE tag_counted WHEN head THEN head + (SELECT events FROM size) ELSE tag_counted END
    WHERE (SELECT events FROM size) > 0
        AND (SELECT count(*) FROM changed) + (SELECT count(*) FROM dropped) + (SELECT count(*) FROM leftover) >= 0
        :noted
    RETURNING
        head - (SELECT events FROM size) AS base, CASE counted WHEN head THEN covered ELSE 0 END AS covered
),
born AS (
    INSERT INTO job (
        number, id, client_id, workflow, state, grp, stime, mtime,
        version, definition_hash, tags, tag_keys, status, definition, size, history_bytes
    )
    SELECT
        base + nth, fresh.id, fresh.client_id, fresh.workflow, fresh.state, fresh.grp, fresh.stime, fresh.mtime,
        fresh.version, fresh.hash, fresh.tags, fresh.tag_keys::text[], fresh.status, fresh.definition,
        fresh.size, fresh.history_bytes
    FROM counter, fresh JOIN news USING (place)
    RETURNING number, workflow, state, grp, tag_keys
),
:counting
past AS (
    INSERT INTO history (job, version, mtime, status, definition)
    SELECT coalesce(entry.job, base + nth), entry.version, entry.mtime, entry.status, entry.definition
    FROM
        counter,
        unnest($44::bigint[], $45::bigint[], $46::bigint[], $47::bigint[], $48::text[], $49::text[])
            AS entry (job, place, version, mtime, status, definition)
        LEFT JOIN news USING (place)
    WHERE nth IS NOT NULL OR entry.job IN (SELECT number FROM good)
),
events AS (
    INSERT INTO event (seq, ctime, action, job_id, client_id, workflow, payload, state_before, cause)
    SELECT base + nth, ctime, action, job_id, client_id, workflow, payload, state_before, cause FROM counter, news
),
told AS (
    UPDATE writer
    SET batch = $3, first_seq = (SELECT base + 1 FROM counter), stale = ARRAY(SELECT id FROM stale),
        done = EXISTS (SELECT FROM go), seen = now()
    WHERE id IN (SELECT id FROM me)
    RETURNING first_seq, stale, done
)
SELECT first_seq, stale, done, (SELECT pg_notify('wfx_log', '') FROM counter) FROM told

-- name: counting
shifts AS (
    SELECT workflow, state, grp, sum(jobs) AS jobs
    FROM (
        SELECT number, workflow, state, grp, 1 AS jobs FROM born
        UNION ALL
        SELECT number, workflow, state, grp, 1 FROM good WHERE state <> state_before AND version > 0
        UNION ALL
        SELECT number, workflow, state_before, grp_before, -1 FROM good WHERE state <> state_before OR version = 0
    ) AS each_job
    WHERE number <= (SELECT covered FROM counter)
    GROUP BY workflow, state, grp HAVING sum(jobs) <> 0
),
counts AS (
    INSERT INTO job_count AS known (workflow, state, grp, jobs) SELECT workflow, state, grp, jobs FROM shifts
    ON CONFLICT (workflow, state) DO UPDATE SET jobs = known.jobs + excluded.jobs
),
shifts_of_tags AS (
    INSERT INTO tag_shift (number, workflow, state_before, grp_before, tags_before, state, grp, tags)
    SELECT number, workflow, NULL, NULL, NULL, state, grp, tag_keys FROM born WHERE tag_keys <> '{}'
    UNION ALL
    SELECT
        number, workflow, state_before, grp_before, tags_before, CASE WHEN version > 0 THEN state END, grp, tag_keys::text[]
    FROM good
    WHERE EXISTS (SELECT FROM counter) AND (version = 0 OR state <> state_before OR tag_keys IS NOT NULL)
        AND (tags_before <> '{}' OR tag_keys <> '{}')
),

-- name: go_always
go AS MATERIALIZED (SELECT id FROM me),

-- name: go_with_step
moved AS (
    UPDATE consumer SET position = $54, steps = steps + 1
    WHERE EXISTS (SELECT FROM me) AND NOT EXISTS (SELECT FROM stale) :unless
        AND name = $51 AND position = $52 AND steps = $53 AND $54 <= (SELECT head FROM log)
    RETURNING name
),
go AS MATERIALIZED (SELECT me.id FROM me, moved),

-- name: go_with_events
-- One that comes to be meanwhile is a key that is there twice.
moved AS (
    INSERT INTO event_answer (key, created, size, answer)
    SELECT key, $52::bigint, octet_length(answer), answer
    FROM unnest($51::text[], $53::text[]) AS event (key, answer)
    WHERE EXISTS (SELECT FROM me) AND NOT EXISTS (SELECT FROM stale) :unless
        AND NOT EXISTS (SELECT FROM event_answer AS known WHERE known.key = ANY ($51::text[]))
    ORDER BY key
    RETURNING 1
),
go AS MATERIALIZED (
    SELECT id FROM me
    WHERE EXISTS (SELECT FROM moved)
        OR (cardinality($51::text[]) = 0 AND NOT EXISTS (SELECT FROM stale) :unless)  -- no answer is kept
),

-- name: go_with_task
moved AS (
    UPDATE task SET state = $53, result = $54, due = $55, mtime = $56
    WHERE EXISTS (SELECT FROM me) AND NOT EXISTS (SELECT FROM stale) :unless
        AND id = $51 AND attempts = $52 AND state = 'RUNNING'
    RETURNING id
),
go AS MATERIALIZED (SELECT me.id FROM me, moved),

-- name: go_with_slice
moved AS (
    UPDATE bulk_request
    SET done = done + $54, failed = failed + $55, size = size + octet_length($56),
        until = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $57
    WHERE EXISTS (SELECT FROM me) AND NOT EXISTS (SELECT FROM stale) AND key = $51 AND holder = $52 AND done = $53
    RETURNING number
),
kept AS (
    INSERT INTO bulk_slice (request, first, results) SELECT number, $53, $56 FROM moved
    RETURNING 1
),
go AS MATERIALIZED (SELECT me.id FROM me, moved),

-- name: go_whole
go AS MATERIALIZED (SELECT id FROM me WHERE NOT EXISTS (SELECT FROM stale)),

-- name: unless_sequences
AND NOT EXISTS (SELECT FROM asked LEFT JOIN held USING (name) WHERE coalesce(value, 0) <> before)

-- name: sequences_held
-- One that comes to be meanwhile is a key that is there twice.
asked AS MATERIALIZED (
    SELECT * FROM unnest($r1::text[], $r2::bigint[], $r3::bigint[]) AS asked (name, before, after)
),
held AS MATERIALIZED (
    SELECT name, value FROM sequence
    WHERE EXISTS (SELECT FROM me) AND (SELECT count(*) FROM stale) >= 0 AND name = ANY ($r1::text[])
    ORDER BY name FOR UPDATE
),

-- name: records
counted AS (
    UPDATE sequence SET value = after FROM asked JOIN held USING (name)
    WHERE EXISTS (SELECT FROM go) AND sequence.name = asked.name
    RETURNING 1
),
begun AS (
    INSERT INTO sequence (name, value)
    SELECT name, after FROM asked
    WHERE EXISTS (SELECT FROM go) AND name NOT IN (SELECT name FROM held)
    ORDER BY name
    RETURNING 1
),
more_tasks AS (
    INSERT INTO task (key, kind, state, due, attempts, ctime, mtime, input, cause)
    SELECT key, kind, 'WAITING', due, 0, $r16::bigint, $r16, input, cause
    FROM go, unnest($r4::text[], $r5::text[], $r6::text[], $r7::bigint[], $r8::text[])
        WITH ORDINALITY AS task (key, kind, input, due, cause, place)
    ORDER BY place
    ON CONFLICT (key) DO NOTHING
    RETURNING 1
),
scored AS (
    INSERT INTO score (key, actor_id, points, reason, ctime)
    SELECT key, actor_id, points, reason, $r16
    FROM go, unnest($r9::text[], $r10::text[], $r11::double precision[], $r12::text[])
        WITH ORDINALITY AS score (key, actor_id, points, reason, place)
    ORDER BY place
    ON CONFLICT (key) DO NOTHING
    RETURNING actor_id, points
),
totals AS (
    INSERT INTO score_total AS known (actor_id, points)
    SELECT actor_id, sum(points) FROM scored GROUP BY actor_id ORDER BY actor_id
    ON CONFLICT (actor_id) DO UPDATE SET points = known.points + excluded.points
    RETURNING 1
),
repeated AS (
    INSERT INTO repetition AS known (root, element, times, mtime)
    SELECT root, element, times, $r16
    FROM go, unnest($r13::text[], $r14::text[], $r15::bigint[]) AS repetition (root, element, times)
    ORDER BY root, element
    ON CONFLICT (root, element) DO UPDATE SET times = known.times + excluded.times, mtime = excluded.mtime
    RETURNING 1
),

-- name: records_noted
AND (SELECT count(*) FROM counted) + (SELECT count(*) FROM begun) + (SELECT count(*) FROM more_tasks)
    + (SELECT count(*) FROM totals) + (SELECT count(*) FROM repeated) >= 0

-- name: fence
-- Waits for a statement of this server that is under way, and makes one that comes later change nothing.
UPDATE writer
SET epoch = epoch + 1, seen = now(), keys = $2, pid = CASE WHEN $3::boolean THEN pg_backend_pid() END,
    began = (SELECT backend_start FROM pg_stat_activity AS own WHERE own.pid = pg_backend_pid())
WHERE id = $1
RETURNING epoch, batch, first_seq, stale, done

-- name: register_writer
-- Nothing while an import is under way.
INSERT INTO writer (id, epoch, batch, stale, done, seen, keys, pid, began)
SELECT
    $1, 1, 0, '{}', false, now(), $2, CASE WHEN $3::boolean THEN pg_backend_pid() END,
    (SELECT backend_start FROM pg_stat_activity AS own WHERE own.pid = pg_backend_pid())
WHERE to_regclass('import_progress') IS NULL
RETURNING epoch, batch, first_seq, stale, done

-- name: servers_at_work
-- What each says of its keys. Of older releases it is not known which sessions are theirs: those with the name that
-- servers give their sessions by themselves, or with that of the one that asks.
SELECT keys FROM writer
WHERE EXISTS (
    SELECT FROM pg_stat_activity AS session
    WHERE datname = current_database() AND usesysid IS NOT NULL AND session.pid <> pg_backend_pid()
        AND (
            (session.pid = writer.pid AND coalesce(backend_start, began) = began)
            OR (keys IS NULL AND application_name IN ('wfx', current_setting('application_name')))
        )
) OR (writer.pid IS NULL AND seen > now() - interval '1 minute')

-- name: used_keys
SELECT used_keys FROM wfx_schema

-- name: put_used_keys
UPDATE wfx_schema SET used_keys = $1, oldest = $2

-- name: forget_writers
DELETE FROM writer WHERE seen < now() - interval '7 days' OR id = $1
