-- Each statement finds what breaks one rule: which row, what was expected, what is there. The rules about single jobs and
-- about what events say are in check_jobs.py and check_events.py.

-- name: index
SELECT 'index ' || name, 'one that is valid', 'none'
FROM unnest(ARRAY[
    'bulk_request_created', 'bulk_request_key_key', 'bulk_request_pkey', 'bulk_slice_pkey', 'consumer_pkey',
    'counted_tag_pkey', 'current_script_pkey', 'current_workflow_number_key', 'current_workflow_pkey', 'device_keys',
    'device_pkey', 'device_unclaimed', 'event_answer_created', 'event_answer_key_key', 'event_answer_pkey',
    'event_pkey', 'history_pkey', 'job_client', 'job_count_pkey', 'job_grp', 'job_id_key', 'job_pkey', 'job_state',
    'job_tag_keys', 'job_tag_pkey', 'job_workflow_state', 'lease_pkey', 'left_history_pkey', 'limit_bucket_pkey',
    'log_pkey', 'rate_bucket_pkey', 'repetition_mtime', 'repetition_pkey', 'score_actor', 'score_key_key', 'score_pkey',
    'score_total_pkey', 'script_number_key', 'script_pkey', 'sequence_pkey', 'tag_count_pkey', 'task_due',
    'task_finished', 'task_key_key', 'task_kind', 'task_pkey', 'task_state', 'tombstone_id_key', 'tombstone_pkey',
    'workflow_deleted', 'workflow_pkey', 'writer_pkey'
]) AS name
WHERE NOT EXISTS (
    SELECT FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid
    WHERE relname = name AND indisvalid AND pg_table_is_visible(pg_class.oid)
)

-- name: constraint
SELECT 'constraint ' || name, 'one that is valid', 'none'
FROM unnest(ARRAY[
    'bulk_request_key_key', 'bulk_request_pkey', 'bulk_slice_pkey', 'consumer_pkey', 'counted_tag_pkey',
    'current_script_name_sha256_fkey', 'current_script_pkey', 'current_workflow_number_fkey',
    'current_workflow_number_key', 'current_workflow_pkey', 'device_pkey', 'event_answer_key_key', 'event_answer_pkey',
    'event_pkey', 'history_pkey', 'job_count_pkey', 'job_id_key', 'job_pkey', 'job_tag_pkey', 'job_workflow_fkey',
    'lease_pkey', 'left_history_pkey', 'limit_bucket_pkey', 'log_one_check', 'log_pkey', 'rate_bucket_pkey',
    'repetition_pkey', 'score_key_key', 'score_pkey', 'score_total_pkey', 'script_number_key', 'script_pkey',
    'sequence_pkey', 'tag_count_pkey', 'task_key_key', 'task_pkey', 'tombstone_id_key', 'tombstone_pkey',
    'workflow_pkey', 'writer_pkey'
]) AS name
WHERE NOT EXISTS (
    SELECT FROM pg_constraint JOIN pg_class ON conrelid = pg_class.oid
    WHERE conname = name AND convalidated AND pg_table_is_visible(pg_class.oid)
)

-- name: trigger
-- As PostgreSQL writes it out: the table, the events, the condition and the function; names without a schema are those of ours.
SELECT 'trigger ' || wanted.name, definition || ', which fires', coalesce(found.told, 'none')
FROM (
    VALUES
        (
            'job_tag_born', 'CREATE TRIGGER job_tag_born AFTER INSERT ON job '
            'FOR EACH ROW WHEN (new.tag_keys <> ''{}''::text[]) EXECUTE FUNCTION keep_job_tags()'
        ),
        (
            'job_tag_changed', 'CREATE TRIGGER job_tag_changed AFTER UPDATE OF tag_keys ON job '
            'FOR EACH ROW WHEN (old.tag_keys IS DISTINCT FROM new.tag_keys) EXECUTE FUNCTION keep_job_tags()'
        ),
        (
            'job_tag_gone', 'CREATE TRIGGER job_tag_gone AFTER DELETE ON job '
            'FOR EACH ROW WHEN (old.tag_keys <> ''{}''::text[]) EXECUTE FUNCTION keep_job_tags()'
        )
) AS wanted (name, definition)
LEFT JOIN (
    SELECT
        tgname AS name,
        pg_get_triggerdef(pg_trigger.oid, true) || CASE WHEN tgenabled IN ('O', 'A') THEN '' ELSE ', which does not fire' END AS told
    FROM pg_trigger JOIN pg_class ON tgrelid = pg_class.oid
    WHERE pg_table_is_visible(pg_class.oid) AND NOT tgisinternal
) AS found ON found.name = wanted.name
WHERE told IS DISTINCT FROM definition

-- name: trigger_function
-- The hash is that of the text that the steps of the schema give it, without the schema of the table that it names.
SELECT 'function ' || wanted.name, 'one in plpgsql with the text of the present schema, which names the table job_tag', coalesce(told, 'none')
FROM (VALUES ('keep_job_tags', 'b55384abd3426ee77ec571d3e836122c')) AS wanted (name, hash)
LEFT JOIN (
    SELECT
        proname AS name, 'another one, in ' || lanname AS told,
        CASE WHEN lanname = 'plpgsql' THEN md5(replace(prosrc, quote_ident(nspname) || '.job_tag', 'job_tag')) END AS hash
    FROM pg_proc
    JOIN pg_namespace ON pg_namespace.oid = pronamespace JOIN pg_language ON pg_language.oid = prolang
    WHERE pg_function_is_visible(pg_proc.oid) AND pronargs = 0
) AS found ON found.name = wanted.name
WHERE found.hash IS DISTINCT FROM wanted.hash

-- name: log_identity
SELECT 'log', 'one row, with 32 hexadecimal digits', count(*) || ' rows, ' || coalesce(min(log_id), 'none')
FROM log HAVING count(*) <> 1 OR min(log_id) !~ '^[0-9a-f]{32}$'

-- name: log_horizon
SELECT 'log', 'a horizon from 0 to the head', 'horizon ' || horizon || ', head ' || head
FROM log WHERE horizon < 0 OR horizon > head

-- name: log_gap
SELECT 'event ' || seq, 'number ' || (before + 1) || ' next', 'number ' || seq
FROM (SELECT seq, lag(seq, 1, (SELECT horizon FROM log)) OVER (ORDER BY seq) AS before FROM event) AS ordered
WHERE seq <> before + 1
UNION ALL
SELECT 'log', 'event ' || head || ' as the newest', coalesce('event ' || newest, 'none')
FROM log, (SELECT max(seq) AS newest FROM event) AS events
WHERE head > horizon AND newest IS DISTINCT FROM head

-- name: event_time
SELECT 'event ' || seq, 'microseconds between the years 1970 and 9999', ctime
FROM event WHERE ctime NOT BETWEEN 0 AND 253402300799999999

-- name: event_action
SELECT 'event ' || seq, 'an action', action
FROM event
WHERE action NOT IN ('CREATE', 'DELETE', 'ADD_TAGS', 'DELETE_TAGS', 'UPDATE_STATUS', 'UPDATE_DEFINITION')
    OR (job_id = '' AND action NOT IN ('CREATE', 'DELETE'))

-- name: event_workflow
SELECT 'event ' || seq, 'a workflow with number ' || workflow, 'none'
FROM event WHERE workflow NOT IN (SELECT number FROM workflow)

-- name: job_count
SELECT 'job_count of workflow ' || workflow || ', state ' || state, coalesce(there_are, 0) || ' jobs', coalesce(jobs, 0)
FROM (SELECT workflow, state, count(*) AS there_are FROM job, log WHERE job.number <= covered GROUP BY workflow, state) AS found
FULL JOIN (SELECT workflow, state, jobs FROM job_count WHERE jobs <> 0) AS known USING (workflow, state)
WHERE there_are IS DISTINCT FROM jobs AND EXISTS (SELECT FROM log WHERE counted = head)

-- name: tag_count
SELECT
    'tag_count of tag ' || left(tag, 100) || ', workflow ' || workflow || ', state ' || state, coalesce(there_are, 0) || ' jobs',
    coalesce(jobs, 0)
FROM (
    SELECT tag, workflow, state, count(*) AS there_are
    FROM job CROSS JOIN LATERAL (SELECT DISTINCT unnest(tag_keys)) AS own (tag) JOIN counted_tag USING (tag)
    WHERE number <= covered GROUP BY tag, workflow, state
) AS found
FULL JOIN (
    SELECT tag, workflow, state, sum(jobs) AS jobs
    FROM (
        SELECT 0 AS number, tag, workflow, state, jobs FROM tag_count
        UNION ALL
        SELECT number, unnest(tags_before), workflow, state_before, -1 FROM tag_shift WHERE state_before IS NOT NULL
        UNION ALL
        SELECT number, unnest(coalesce(tags, tags_before)), workflow, state, 1 FROM tag_shift WHERE state IS NOT NULL
    ) AS shifted
    JOIN counted_tag USING (tag)
    WHERE number <= covered GROUP BY tag, workflow, state HAVING sum(jobs) <> 0
) AS known USING (tag, workflow, state)
WHERE there_are IS DISTINCT FROM jobs AND EXISTS (SELECT FROM log WHERE tag_counted = head)

-- name: job_tag
SELECT
    'job_tag of job ' || number || ', workflow ' || workflow || ', tag ' || left(tag, 100), CASE WHEN has THEN 'a row' ELSE 'none' END,
    CASE WHEN is_known THEN 'a row' ELSE 'none' END
FROM (
    SELECT tag, number, workflow, true AS has FROM job CROSS JOIN LATERAL (SELECT DISTINCT unnest(tag_keys)) AS own (tag)
) AS found
FULL JOIN (SELECT tag, number, workflow, true AS is_known FROM job_tag) AS known USING (tag, number, workflow)
WHERE has IS DISTINCT FROM is_known

-- name: lost_job
SELECT 'job ' || job_id, 'a row in job, or DELETE as its last event', action || ' as event ' || seq
FROM (SELECT DISTINCT ON (job_id) job_id, action, seq FROM event WHERE job_id <> '' ORDER BY job_id, seq DESC) AS last
WHERE action <> 'DELETE' AND NOT EXISTS (SELECT FROM job WHERE id = job_id)

-- name: job_number
SELECT 'job ' || number || ' (' || id || ')', 'a number up to the head of the log, ' || head, number
FROM job, log WHERE number NOT BETWEEN 1 AND head

-- name: orphan_history
SELECT 'history of job ' || job, 'a job with number ' || job, 'none'
FROM (SELECT DISTINCT job FROM history) AS histories
WHERE NOT EXISTS (SELECT FROM job WHERE number = job) AND NOT EXISTS (SELECT FROM left_history AS left_one WHERE left_one.job = histories.job)

-- name: left_history
SELECT 'left_history ' || job, 'no job with number ' || job, 'one'
FROM left_history WHERE EXISTS (SELECT FROM job WHERE number = job)

-- name: workflow_name
SELECT 'workflow ' || workflow.number, 'a row in current_workflow unless it is deleted', coalesce(current_workflow.name, 'none')
FROM workflow LEFT JOIN current_workflow USING (number)
WHERE (deleted IS NULL AND current_workflow.name IS DISTINCT FROM workflow.name)
    OR (deleted IS NOT NULL AND current_workflow.name IS NOT NULL)

-- name: workflow_deleted
SELECT 'workflow ' || number, 'a deletion no later than the newest event', 'deleted at event ' || deleted
FROM workflow, log WHERE deleted > head

-- name: consumer
SELECT
    'consumer ' || name, 'a position from ' || horizon || ' to ' || head || ', and numbers from 0 on',
    'position ' || position || ', steps ' || steps || ', lost ' || lost
FROM consumer, log WHERE position NOT BETWEEN horizon AND head OR least(steps, lost) < 0

-- name: lease
SELECT
    'lease ' || name, 'a holder, an epoch from 1 on, and an end in microseconds from 0 on',
    'holder ' || holder || ', epoch ' || epoch || ', until ' || until
FROM lease WHERE holder = '' OR epoch < 1 OR until < 0

-- name: device
SELECT
    'device ' || client_id, 'times in order or none, and the keys ' || told.keys::text,
    'seen ' || coalesce(first_seen::text, 'never') || ' to ' || coalesce(last_seen::text, 'never') || ', ' || device.keys::text
FROM device
CROSS JOIN LATERAL (
    SELECT array(
        SELECT 'attribute ' || key || ':' || value FROM json_each_text(description::json -> 'attributes')
        UNION ALL
        SELECT 'label ' || value FROM json_array_elements_text(description::json -> 'labels') AS label (value)
        ORDER BY 1
    )
) AS told (keys)
WHERE (first_seen IS NULL) <> (last_seen IS NULL) OR first_seen > last_seen
    OR array(SELECT unnest(device.keys) ORDER BY 1) <> told.keys

-- name: bulk_request
SELECT
    'bulk request ' || number, 'as many items done as its slices and itself say, up to ' || total,
    done || ' done, ' || failed || ' of them failed, the last slice behind ' || coalesce(last::text, 'none')
FROM (
    SELECT bulk_request.*, (SELECT max(first) FROM bulk_slice WHERE request = number) AS last FROM bulk_request
    WHERE key IS NOT NULL
) AS request
WHERE done NOT BETWEEN 0 AND total OR failed NOT BETWEEN 0 AND done OR (done > 0) <> (last IS NOT NULL) OR last >= done

-- name: task
SELECT
    'task ' || id, 'a known state, times and attempts from 0 on, and at least 1 of what was claimed',
    'state ' || state || ', due ' || due || ', attempts ' || attempts
FROM task
WHERE state NOT IN ('WAITING', 'RUNNING', 'DONE', 'FAILED') OR attempts < (state <> 'WAITING')::int
    OR least(ctime, mtime) < 0

-- name: score_total
SELECT
    'score of ' || actor_id, coalesce(given, 0) || ' points, the sum of what was given', coalesce(points::text, 'none')
FROM (SELECT actor_id, sum(points) AS given, sum(abs(points)) AS moved FROM score GROUP BY actor_id) AS ledger
FULL JOIN (SELECT actor_id, points FROM score_total) AS known USING (actor_id)
WHERE points IS NULL OR given IS NULL OR abs(points - given) > 1e-9 * greatest(moved, 1)

-- name: event_answer
SELECT
    'event_answer ' || number, 'a hash, and ' || octet_length(answer) || ' bytes', key || ', ' || size || ' bytes'
FROM event_answer WHERE length(key) <> 64 OR size <> octet_length(answer)

-- name: script
SELECT
    'script ' || name || ' ' || sha256, 'a hash, a time from 0 on and ' || octet_length(source) || ' bytes',
    ctime || ', ' || size || ' bytes'
FROM script
WHERE length(sha256) <> 64 OR ctime < 0 OR size <> octet_length(source)

-- name: repetition
SELECT 'repetition (' || root || ', ' || element || ')', 'a number and a time from 0 on', times || ' times at ' || mtime
FROM repetition WHERE least(times, mtime) < 0
