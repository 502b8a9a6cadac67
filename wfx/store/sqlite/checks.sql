-- Each statement finds what breaks one rule: which row, what was expected, what is there. The rules about a single job, with
-- its tags, history and events, are in check_jobs.py.

-- name: log_identity
SELECT 'meta log_id', '32 hexadecimal digits, or nothing in a backup', coalesce(min(value), 'no such row')
FROM meta WHERE name = 'log_id'
HAVING count(*) <> 1 OR (min(value) <> '' AND (length(min(value)) <> 32 OR min(value) GLOB '*[^0-9a-f]*'))

-- name: log_horizon
SELECT 'meta horizon', 'a number from 0 on', coalesce(min(value), 'no such row')
FROM meta WHERE name = 'horizon'
HAVING count(*) <> 1 OR typeof(min(value)) <> 'integer' OR min(value) < 0

-- name: log_gap
SELECT 'event ' || seq, 'number ' || (before + 1) || ' next', 'number ' || seq
FROM (
    SELECT seq, lag(seq, 1, (SELECT value FROM meta WHERE name = 'horizon')) OVER (ORDER BY seq) AS before FROM event
)
WHERE seq <> before + 1

-- name: event_time
SELECT 'event ' || seq, 'microseconds between the years 1970 and 9999', ctime
FROM event WHERE typeof(ctime) <> 'integer' OR ctime NOT BETWEEN 0 AND 253402300799999999

-- name: event_action
SELECT 'event ' || seq, 'an action', action
FROM event
WHERE action NOT IN ('CREATE', 'DELETE', 'ADD_TAGS', 'DELETE_TAGS', 'UPDATE_STATUS', 'UPDATE_DEFINITION')
    OR (job_id = '' AND action NOT IN ('CREATE', 'DELETE'))

-- name: event_payload
-- An event without a job is about its workflow.
SELECT 'event ' || seq, 'JSON about ' || iif(job_id = '', 'workflow ', 'job ') || key, payload
FROM (
    SELECT
        seq, job_id, payload, iif(job_id = '', name, job_id) AS key,
        CASE WHEN json_valid(payload) THEN json_extract(payload, iif(job_id = '', '$.name', '$.id')) END AS told
    FROM event LEFT JOIN workflow ON workflow.number = event.workflow
)
WHERE key IS NOT NULL AND key IS NOT told

-- name: event_cause
-- From the first event that has a cause on, each has one.
SELECT
    'event ' || seq, 'a cause: request, side and actor, a root no later than the event, a depth from 0 on',
    coalesce(cause, 'none')
FROM event
WHERE CASE
    WHEN cause IS NULL THEN seq > (SELECT min(seq) FROM event WHERE cause IS NOT NULL) OR state_before IS NOT NULL
    WHEN typeof(cause) <> 'text' OR NOT json_valid(cause) THEN TRUE
    WHEN json_type(cause) <> 'array' OR json_array_length(cause) > 5 THEN TRUE
    ELSE
        EXISTS (
            SELECT 1 FROM json_each(cause) AS member
            WHERE CASE key
                WHEN 3 THEN type <> 'null' AND (type <> 'integer' OR atom NOT BETWEEN 1 AND seq)
                WHEN 4 THEN type <> 'integer' OR atom < 0
                ELSE type <> 'text'
            END
        )
END

-- name: event_state_before
-- A job stands where its event before left it. Other changes leave the state as it was, so these tell it, too.
WITH name (workflow, place, state) AS MATERIALIZED (
    SELECT workflow.number, state.key, json_extract(state.value, '$.name')
    FROM workflow, json_each(iif(json_valid(document), document, '{}'), '$.states') AS state
)
SELECT 'event ' || seq, 'the state before, ' || coalesce(expected, 'which is none'), coalesce(before, place, 'none')
FROM (
    SELECT
        seq, action, cause, place, before,
        CASE lag(action) OVER job
            WHEN 'CREATE' THEN lag(told) OVER job
            WHEN 'UPDATE_STATUS' THEN lag(told) OVER job
            ELSE lag(before) OVER job
        END AS expected
    FROM (
        SELECT
            seq, action, job_id, cause, state_before AS place, state AS before,
            CASE WHEN json_valid(payload) THEN json_extract(payload, '$.status.state') END AS told
        FROM event LEFT JOIN name ON name.workflow = event.workflow AND name.place = state_before
        WHERE job_id <> ''
    )
    WINDOW job AS (PARTITION BY job_id ORDER BY seq)
)
WHERE cause IS NOT NULL AND CASE action
    WHEN 'CREATE' THEN place IS NOT NULL
    ELSE before IS NULL OR before <> expected
END

-- name: event_workflow
SELECT 'event ' || seq, 'a workflow with number ' || workflow, 'none'
FROM event WHERE workflow NOT IN (SELECT number FROM workflow)

-- name: lost_job
SELECT 'job ' || job_id, 'a row in job, or DELETE as its last event', action || ' as event ' || max(seq)
FROM event WHERE job_id <> '' AND NOT EXISTS (SELECT 1 FROM job WHERE id = job_id)
GROUP BY job_id HAVING action <> 'DELETE'

-- name: orphan_tag
SELECT 'job_tag (' || tag || ', ' || job || ')', 'a job with number ' || job, 'none'
FROM job_tag WHERE NOT EXISTS (SELECT 1 FROM job WHERE number = job)

-- name: orphan_definition
SELECT 'definition ' || job, 'a job with number ' || job, 'none'
FROM definition WHERE NOT EXISTS (SELECT 1 FROM job WHERE number = job)

-- name: orphan_history
WITH RECURSIVE swept_later (number) AS (
    SELECT entry FROM orphaned_history
    UNION
    SELECT earlier FROM history JOIN swept_later USING (number) WHERE earlier IS NOT NULL
)
SELECT 'history ' || number, 'a job with number ' || job, 'none'
FROM history
WHERE NOT EXISTS (SELECT 1 FROM job WHERE job.number = history.job) AND number NOT IN (SELECT number FROM swept_later)

-- name: orphaned_history
SELECT 'orphaned_history ' || entry, 'a history entry with this number, of a job that is gone', coalesce('one of job ' || job, 'none')
FROM orphaned_history LEFT JOIN history ON history.number = entry
WHERE history.number IS NULL OR entry IN (SELECT history FROM job)

-- name: history_document
SELECT 'history ' || number, 'a status and a definition that are JSON', status || ' ' || coalesce(definition, '')
FROM history WHERE NOT json_valid(status) OR NOT json_valid(coalesce(definition, '{}'))

-- name: workflow_log
-- A workflow that knows the event of its creation has it on the log, unless that was pruned, and so of its deletion.
SELECT 'workflow ' || number, wanted || ' as event ' || expected, coalesce(found || ' as event ' || seq, 'no such event')
FROM (
    SELECT number, 'CREATE' AS wanted, created AS expected FROM workflow WHERE created IS NOT NULL
    UNION ALL
    SELECT number, 'DELETE', deleted FROM workflow WHERE deleted IS NOT NULL AND created IS NOT NULL
)
LEFT JOIN (
    SELECT workflow, seq, action AS found FROM event WHERE job_id = ''
) AS told ON told.workflow = number AND found = wanted
WHERE expected > (SELECT value FROM meta WHERE name = 'horizon') AND seq IS NOT expected

-- name: workflow_deleted
SELECT 'workflow ' || number, 'a deletion no later than the newest event', 'deleted at event ' || deleted
FROM workflow
WHERE deleted > max((SELECT coalesce(max(seq), 0) FROM event), (SELECT value FROM meta WHERE name = 'horizon'))

-- name: consumer
SELECT
    'consumer ' || name, 'a name of text, a position from ' || horizon || ' to ' || head || ', and numbers from 0 on',
    iif(typeof(name) = 'text', '', 'name ' || typeof(name) || ', ')
        || 'position ' || position || ', steps ' || steps || ', lost ' || lost
FROM consumer, (
    SELECT horizon, max(horizon, (SELECT coalesce(max(seq), 0) FROM event)) AS head
    FROM (SELECT value AS horizon FROM meta WHERE name = 'horizon')
)
WHERE position NOT BETWEEN horizon AND head OR min(steps, lost) < 0
    OR typeof(name) || typeof(position) || typeof(steps) || typeof(lost) <> 'textintegerintegerinteger'

-- name: lease
SELECT
    'lease ' || name, 'a name and a holder of text, an epoch from 1 on, and an end in microseconds from 0 on',
    iif(typeof(name) = 'text', '', 'name ' || typeof(name) || ', ')
        || 'holder ' || holder || ', epoch ' || epoch || ', until ' || until
FROM lease
WHERE holder = '' OR epoch < 1 OR until < 0
    OR typeof(name) || typeof(holder) || typeof(epoch) || typeof(until) <> 'texttextintegerinteger'

-- name: device
SELECT
    'device ' || client_id, 'a client id of text, times in order or none, a version, 0 or 1, and a description in JSON',
    'seen ' || coalesce(first_seen, 'never') || ' to ' || coalesce(last_seen, 'never') || ', unclaimed ' || unclaimed
        || ', ' || description
FROM device
WHERE typeof(client_id) <> 'text' OR client_id = '' OR length(client_id) > 255
    OR typeof(first_seen) || typeof(last_seen) NOT IN ('integerinteger', 'nullnull') OR first_seen > last_seen
    OR typeof(version) <> 'text' OR unclaimed NOT IN (0, 1) OR NOT json_valid(description)

-- name: device_key
-- Attributes and labels are found by what the description says, and by nothing else.
WITH told ("key", client_id) AS (
    SELECT 'attribute ' || attribute."key" || ':' || attribute.value, client_id
    FROM device, json_each(iif(json_valid(description), description, '{}'), '$.attributes') AS attribute
    UNION ALL
    SELECT 'label ' || label.value, client_id
    FROM device, json_each(iif(json_valid(description), description, '{}'), '$.labels') AS label
)
SELECT 'device ' || client_id, 'a row in device_key for ' || "key", 'none'
FROM (SELECT "key", client_id FROM told EXCEPT SELECT "key", client_id FROM device_key)
UNION ALL
SELECT 'device_key (' || "key" || ', ' || client_id || ')', 'a device with this attribute or label', 'none'
FROM (SELECT "key", client_id FROM device_key EXCEPT SELECT "key", client_id FROM told)

-- name: bulk_request
SELECT
    'bulk request ' || number, 'as many items done as its slices and itself say, up to ' || total,
    done || ' done, ' || failed || ' of them failed, the last slice behind ' || coalesce(last, 'none')
FROM (
    SELECT bulk_request.*, (SELECT max(first) FROM bulk_slice WHERE request = number) AS last FROM bulk_request
    WHERE key IS NOT NULL
)
WHERE done NOT BETWEEN 0 AND total OR failed NOT BETWEEN 0 AND done OR (done > 0) <> (last IS NOT NULL) OR last >= done

-- name: task
SELECT
    'task ' || id, 'a known state, times and attempts from 0 on, at least 1 of what was claimed, and documents in JSON',
    'state ' || state || ', due ' || due || ', attempts ' || attempts || ', input ' || substr(input, 1, 100)
FROM task
WHERE state NOT IN ('WAITING', 'RUNNING', 'DONE', 'FAILED') OR attempts < (state <> 'WAITING')
    OR typeof(key) || typeof(kind) || typeof(cause) <> 'texttexttext'
    OR typeof(due) || typeof(attempts) || typeof(ctime) || typeof(mtime) <> 'integerintegerintegerinteger'
    OR min(ctime, mtime) < 0 OR NOT json_valid(input) OR NOT json_valid(coalesce(result, 'null')) OR NOT json_valid(cause)

-- name: score_total
WITH given (actor_id, points, moved) AS (
    SELECT actor_id, sum(points), sum(abs(points)) FROM score GROUP BY actor_id
)
SELECT
    'score of ' || actor_id, given.points || ' points, the sum of what was given', coalesce(score_total.points, 'none')
FROM given LEFT JOIN score_total USING (actor_id)
WHERE score_total.points IS NULL OR abs(score_total.points - given.points) > 1e-9 * max(moved, 1)
UNION ALL
SELECT 'score of ' || actor_id, 'points that were given', 'none'
FROM score_total WHERE actor_id NOT IN (SELECT actor_id FROM given)

-- name: event_answer
SELECT
    'event_answer ' || number, 'a hash, a time, and ' || length(CAST(answer AS BLOB)) || ' bytes',
    key || ', ' || created || ', ' || size || ' bytes'
FROM event_answer
WHERE length(key) <> 64 OR typeof(created) || typeof(size) || typeof(answer) <> 'integerintegertext'
    OR size <> length(CAST(answer AS BLOB))

-- name: sequence
SELECT 'sequence ' || name, 'a name of text and a whole number', typeof(name) || ', ' || value
FROM sequence WHERE typeof(name) || typeof(value) <> 'textinteger'

-- name: script
SELECT
    'script ' || name || ' ' || sha256, 'a hash, a time, texts and ' || length(CAST(source AS BLOB)) || ' bytes',
    ctime || ', ' || size || ' bytes, ' || typeof(findings)
FROM script
WHERE length(sha256) <> 64 OR typeof(ctime) || typeof(findings) || typeof(source) <> 'integertexttext'
    OR size IS NOT length(CAST(source AS BLOB))
UNION ALL
SELECT 'script ' || current_script.name, 'a version with this name', coalesce(script.name, 'none')
FROM current_script LEFT JOIN script USING (number) WHERE script.name IS NOT current_script.name

-- name: repetition
SELECT 'repetition (' || root || ', ' || element || ')', 'a number from 0 on, and a time', times || ' times at ' || mtime
FROM repetition WHERE typeof(times) || typeof(mtime) <> 'integerinteger' OR min(times, mtime) < 0
