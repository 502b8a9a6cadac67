-- Every fixed statement of the store; the queries by condition are put together in job_search.py.

-- name: position
SELECT
    coalesce((SELECT max(seq) FROM event), 0),
    (SELECT value FROM meta WHERE name = 'horizon'),
    coalesce((SELECT max(number) FROM job), 0),
    coalesce((SELECT max(number) FROM history), 0),
    (SELECT value FROM meta WHERE name = 'log_id')

-- name: jobs_by_id
-- Of jobs with more bytes than the first value only that number is read.
SELECT
    number, id, CASE WHEN size <= ?1 THEN client_id END, workflow_state, stime, mtime, version, definition_hash,
    CASE WHEN size <= ?1 THEN CAST(tags AS BLOB) END, CASE WHEN size <= ?1 THEN CAST(status AS BLOB) END,
    CASE WHEN size <= ?1 THEN CAST(definition.document AS BLOB) END, size, history, history_bytes,
    history_dropped, overtaken
FROM job LEFT JOIN definition ON definition.job = job.number
WHERE id IN (:items)

-- name: values_of_jobs
SELECT number, workflow_state, tags, :columns FROM job WHERE number IN (SELECT value FROM json_each(?))

-- name: rows_of_list
SELECT number, id, client_id, workflow_state, CAST(status AS BLOB), CAST(tags AS BLOB), stime, mtime
FROM job WHERE number IN (SELECT value FROM json_each(?))

-- name: numbers_by_prefix
-- Clients whose ids begin with the bytes: the second value has one more byte, which no text has.
SELECT number FROM job INDEXED BY job_client WHERE client_id >= ? AND client_id < CAST(? AS TEXT) LIMIT ?

-- name: names_of_states
SELECT workflow_state.number, name, "group", state
FROM workflow_state JOIN workflow ON workflow.number = workflow_state.workflow
WHERE workflow_state.number IN (SELECT value FROM json_each(?))

-- name: workflows_by_number
SELECT number, document FROM workflow WHERE number IN (:items)

-- name: workflows_by_name
SELECT number, document FROM workflow WHERE name IN (:items) AND deleted IS NULL

-- name: workflow_names
SELECT name FROM workflow WHERE name IN (SELECT value FROM json_each(?)) AND deleted IS NULL

-- name: workflow_size
SELECT length(CAST(document AS BLOB)) FROM workflow WHERE number = ?

-- name: workflows_page
SELECT number FROM workflow WHERE deleted IS NULL ORDER BY name LIMIT ? OFFSET ?

-- name: workflows_page_descending
SELECT number FROM workflow WHERE deleted IS NULL ORDER BY name DESC LIMIT ? OFFSET ?

-- name: workflows_total
SELECT count(*) FROM workflow WHERE deleted IS NULL

-- name: insert_workflow
INSERT INTO workflow (name, document, created) VALUES (?, ?, ?)

-- name: insert_workflow_states
INSERT INTO workflow_state (number, workflow, state, "group") VALUES :rows

-- name: delete_workflow_states
DELETE FROM workflow_state WHERE workflow = ?

-- name: workflow_in_use
SELECT EXISTS (SELECT 1 FROM job WHERE workflow_state IN (SELECT number FROM workflow_state WHERE workflow = ?))

-- name: hide_workflow
UPDATE workflow SET deleted = ? WHERE number = ?

-- name: forget_workflows
DELETE FROM workflow WHERE deleted <= ?

-- name: insert_jobs
INSERT INTO job (number, id, client_id, workflow_state, stime, mtime, version, definition_hash, tags, status, size)
VALUES :rows

-- name: update_jobs
UPDATE job
SET mtime = new.column2, version = new.column3, history = new.column4, definition_hash = new.column5,
    tags = new.column6, status = new.column7, size = new.column8, history_bytes = new.column9
FROM (VALUES :rows) AS new
WHERE job.number = new.column1

-- name: move_jobs
UPDATE job SET workflow_state = new.column2 FROM (VALUES :rows) AS new WHERE job.number = new.column1

-- name: mark_overtaken
UPDATE job SET overtaken = new.column2 FROM (VALUES :rows) AS new WHERE job.number = new.column1

-- name: delete_history
WITH RECURSIVE entry (number) AS (
    SELECT history FROM job WHERE number IN (VALUES :rows)
    UNION ALL
    SELECT earlier FROM history JOIN entry USING (number)
)
DELETE FROM history WHERE number IN (SELECT number FROM entry)

-- name: leave_history
INSERT INTO orphaned_history (entry) SELECT history FROM job WHERE number IN (VALUES :rows) AND history IS NOT NULL

-- name: first_orphaned_history
SELECT entry FROM orphaned_history LIMIT 1

-- name: entries_back_from
WITH RECURSIVE entry (number, earlier) AS (
    SELECT number, earlier FROM history WHERE number = ?
    UNION ALL
    SELECT history.number, history.earlier FROM entry JOIN history ON history.number = entry.earlier
)
SELECT number, earlier FROM entry LIMIT ?

-- name: history_links
-- From an entry back, without the documents. A sealed one is a BLOB, of 45 bytes more.
WITH RECURSIVE entry (number, earlier) AS (
    SELECT number, earlier FROM history WHERE number = ?
    UNION ALL
    SELECT history.number, history.earlier FROM entry JOIN history ON history.number = entry.earlier
)
SELECT
    number, version,
    length(CAST(status AS BLOB)) - 45 * (typeof(status) = 'blob')
        + coalesce(length(CAST(definition AS BLOB)) - 45 * (typeof(definition) = 'blob'), 0)
FROM entry CROSS JOIN history USING (number)

-- name: entry_status
SELECT status FROM history WHERE number = ?

-- name: mark_entry
UPDATE history SET status = ?, definition = NULL WHERE number = ?

-- name: cut_history
UPDATE history SET earlier = ? WHERE number = ?

-- name: leave_entries
INSERT INTO orphaned_history (entry) VALUES (?)

-- name: trimmed_job
UPDATE job SET history_bytes = ?, history_dropped = ? WHERE number = ?

-- name: delete_entries
DELETE FROM history WHERE number IN (VALUES :rows)

-- name: drop_orphaned_history
DELETE FROM orphaned_history WHERE entry = ?

-- name: move_orphaned_history
UPDATE orphaned_history SET entry = ? WHERE entry = ?

-- name: delete_jobs
DELETE FROM job WHERE number IN (VALUES :rows)

-- name: bury_jobs
INSERT OR REPLACE INTO tombstone (id, client_id, workflow, state, stime, mtime, definition_hash, definition) VALUES :rows

-- name: tombstone
SELECT id, client_id, workflow, state, stime, mtime, definition_hash, CAST(definition AS BLOB)
FROM tombstone WHERE id = ? AND mtime >= ?

-- name: count_tombstones
SELECT count(*) FROM tombstone

-- name: drop_tombstones
DELETE FROM tombstone
WHERE number IN (
    SELECT number FROM (SELECT number, mtime FROM tombstone ORDER BY number LIMIT ?1)
    WHERE mtime < ?2 OR number <= (SELECT max(number) FROM tombstone) - ?3
)

-- name: put_definitions
INSERT OR REPLACE INTO definition (job, document) VALUES :rows

-- name: delete_definitions
DELETE FROM definition WHERE job IN (VALUES :rows)

-- name: insert_tags
INSERT INTO job_tag (tag, job) VALUES :rows

-- name: delete_tags
-- Compared with the rows themselves SQLite would go through the whole table.
WITH gone (tag, job) AS (VALUES :rows)
DELETE FROM job_tag
WHERE (tag, job) IN (SELECT job_tag.tag, job_tag.job FROM gone CROSS JOIN job_tag USING (tag, job))

-- name: insert_history
INSERT INTO history (number, earlier, job, version, mtime, status, definition) VALUES :rows

-- name: newest_history
SELECT history, version, history_bytes FROM job WHERE id = ?

-- name: history
-- From an entry back, those of versions before the second value.
WITH RECURSIVE entry (number, earlier) AS (
    SELECT number, earlier FROM history WHERE number = ?1
    UNION ALL
    SELECT history.number, history.earlier FROM entry JOIN history ON history.number = entry.earlier
)
SELECT mtime, CAST(status AS BLOB), CAST(definition AS BLOB)
FROM entry CROSS JOIN history USING (number)
WHERE version < ?2 LIMIT ?3

-- name: large_history
-- The same, but of entries with more bytes than the fourth value no documents are read.
WITH RECURSIVE entry (number, earlier) AS (
    SELECT number, earlier FROM history WHERE number = ?1
    UNION ALL
    SELECT history.number, history.earlier FROM entry JOIN history ON history.number = entry.earlier
)
SELECT
    mtime, CASE WHEN size <= ?4 THEN CAST(status AS BLOB) END,
    CASE WHEN size <= ?4 THEN CAST(definition AS BLOB) END, number, size
FROM (
    SELECT
        number, version, mtime, status, definition,
        length(CAST(status AS BLOB)) - 45 * (typeof(status) = 'blob')
            + coalesce(length(CAST(definition AS BLOB)) - 45 * (typeof(definition) = 'blob'), 0) AS size
    FROM entry CROSS JOIN history USING (number)
)
WHERE version < ?2 LIMIT ?3

-- name: insert_events
INSERT INTO event (seq, ctime, action, job_id, client_id, workflow, payload, state_before, cause) VALUES :rows

-- name: events_after
SELECT seq, ctime, action, job_id, client_id, workflow, payload, state_before, cause
FROM event WHERE seq > ? ORDER BY seq LIMIT ?

-- name: first_event_to_keep
SELECT seq FROM event WHERE seq >= ? AND seq <= ? AND ctime >= ? AND ctime <= ? ORDER BY seq LIMIT 1

-- name: next_event_until
SELECT ctime FROM event WHERE seq >= ? AND ctime <= ? ORDER BY seq LIMIT 1

-- name: last_event_before
SELECT coalesce((SELECT seq FROM event WHERE seq <= ? AND seq > ? AND ctime < ? ORDER BY seq DESC LIMIT 1), 0)

-- name: prune_events
DELETE FROM event WHERE seq <= ?

-- name: set_horizon
UPDATE meta SET value = ? WHERE name = 'horizon'

-- name: create_consumer
INSERT OR IGNORE INTO consumer (name, position, steps, lost) VALUES (?, ?, 0, 0)

-- name: consumer
SELECT name, position, steps, lost FROM consumer WHERE name = ?

-- name: consumers
SELECT name, position, steps, lost FROM consumer ORDER BY name

-- name: move_consumer
UPDATE consumer SET position = ?, steps = steps + 1 WHERE name = ? AND position = ? AND steps = ? RETURNING 1

-- name: slowest_consumer
SELECT min(position) FROM consumer

-- name: lose_events
UPDATE consumer SET position = ?1, lost = lost + ?1 - position WHERE position < ?1

-- name: take_lease
INSERT INTO lease (name, holder, epoch, until) VALUES (?1, ?2, 1, ?3)
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder, epoch = epoch + (holder <> excluded.holder), until = excluded.until
WHERE until <= ?4 OR until > ?5 OR holder = excluded.holder
RETURNING epoch

-- name: end_leases
UPDATE lease SET until = 0 WHERE holder = ?

-- name: bulk_request
SELECT fingerprint, content, total, done, failed
FROM bulk_request JOIN bulk_content ON request = number
WHERE key = ?

-- name: insert_bulk_request
INSERT INTO bulk_request (key, fingerprint, created, total, done, failed, size) VALUES (?, ?, ?, ?, 0, 0, ?)

-- name: insert_bulk_content
INSERT INTO bulk_content (request, content) VALUES (?, ?)

-- name: count_bulk_items
UPDATE bulk_request SET done = done + ?, failed = failed + ?, size = size + ? WHERE key = ? AND done = ?
RETURNING number, fingerprint

-- name: insert_bulk_slice
INSERT INTO bulk_slice (request, first, results) VALUES (?, ?, ?)

-- name: bulk_results
SELECT results, fingerprint
FROM bulk_slice JOIN bulk_request ON bulk_request.number = request
WHERE key = ? ORDER BY first

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
    )
    WHERE created < ?1 OR (is_done AND newer >= ?2)
    ORDER BY number LIMIT ?3
)

-- name: first_expired_bulk_request
SELECT number FROM bulk_request WHERE key IS NULL LIMIT 1

-- name: drop_bulk_slices
DELETE FROM bulk_slice
WHERE rowid IN (SELECT rowid FROM bulk_slice WHERE request = ? ORDER BY first LIMIT ?)

-- name: drop_bulk_content
DELETE FROM bulk_content WHERE request = ?

-- name: drop_bulk_request
DELETE FROM bulk_request WHERE number = ?

-- name: set_log_id
UPDATE meta SET value = ? WHERE name = 'log_id'

-- name: used_keys
SELECT value FROM meta WHERE name = 'used_keys'

-- name: put_used_keys
INSERT OR REPLACE INTO meta (name, value) VALUES ('used_keys', ?)

-- name: give_log_id
UPDATE meta SET value = ? WHERE name = 'log_id' AND value = ''

-- name: ping
SELECT value FROM meta WHERE name = 'log_id'

-- name: job_counts
SELECT workflow.name, workflow_state."group", sum(found.jobs)
FROM (
    SELECT workflow_state, count(*) AS jobs FROM job INDEXED BY job_workflow_state GROUP BY workflow_state
) AS found
JOIN workflow_state ON workflow_state.number = found.workflow_state
JOIN workflow ON workflow.number = workflow_state.workflow
GROUP BY workflow.name, workflow_state."group"

-- name: devices_in_range
SELECT client_id, last_seen, version FROM device
WHERE client_id :comparison ?1 AND client_id < ?2 ORDER BY client_id :order LIMIT ?3

-- name: clients_in_range
-- Clients that jobs are for, from one to the next in the index: a client may have many jobs.
WITH RECURSIVE client (found) AS (
    SELECT :extreme(client_id) FROM job WHERE client_id :comparison ?1 AND client_id < ?2
    UNION ALL
    SELECT (SELECT :extreme(client_id) FROM job WHERE :step) FROM client WHERE found IS NOT NULL
    LIMIT ?3
)
SELECT found FROM client WHERE found IS NOT NULL

-- name: devices_by_key
SELECT client_id FROM device_key
WHERE "key" = ?4 AND client_id :comparison ?1 AND client_id < ?2 ORDER BY client_id :order LIMIT ?3

-- name: count_devices_by_key
SELECT count(*) FROM (SELECT 1 FROM device_key WHERE "key" = ? LIMIT ?)

-- name: devices_having_key
SELECT client_id FROM device_key
WHERE client_id IN (SELECT value FROM json_each(?)) AND "key" = ?

-- name: seen_of_devices
SELECT client_id, last_seen, version FROM device WHERE client_id IN (SELECT value FROM json_each(?))

-- name: devices_by_id
SELECT client_id, first_seen, last_seen, version, CAST(description AS BLOB)
FROM device WHERE client_id IN (SELECT value FROM json_each(?))

-- name: jobs_of_devices
-- Of the newest jobs of each client the newest one that has not ended, and the newest one that has.
SELECT
    value, (
        SELECT newest FROM (
            SELECT number AS newest, workflow_state FROM job INDEXED BY job_client
            WHERE client_id = value ORDER BY number DESC LIMIT ?2
        ) JOIN workflow_state AS state ON state.number = workflow_state
        WHERE "group" NOT IN ('CLOSED', 'FAILED')
        ORDER BY 1 DESC LIMIT 1
    ), (
        SELECT newest FROM (
            SELECT number AS newest, workflow_state FROM job INDEXED BY job_client
            WHERE client_id = value ORDER BY number DESC LIMIT ?2
        ) JOIN workflow_state AS state ON state.number = workflow_state
        WHERE "group" IN ('CLOSED', 'FAILED')
        ORDER BY 1 DESC LIMIT 1
    )
FROM json_each(?1)

-- name: ends_of_jobs
SELECT number, id, workflow_state, mtime FROM job WHERE number IN (SELECT value FROM json_each(?))

-- name: unclaimed_of_devices
SELECT client_id, unclaimed FROM device WHERE client_id IN (SELECT value FROM json_each(?))

-- name: clients_with_jobs
SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM job WHERE client_id = value)

-- name: note_sightings
-- The latest sighting counts, whichever comes first.
INSERT INTO device (client_id, first_seen, last_seen, version, unclaimed) VALUES :rows
ON CONFLICT (client_id) DO UPDATE SET
    first_seen = min(coalesce(first_seen, excluded.first_seen), excluded.first_seen),
    last_seen = max(coalesce(last_seen, excluded.last_seen), excluded.last_seen),
    version = CASE
        WHEN excluded.version = '' OR last_seen > excluded.last_seen THEN version
        ELSE excluded.version
    END,
    unclaimed = excluded.unclaimed

-- name: count_unclaimed
SELECT count(*) FROM device WHERE unclaimed

-- name: forget_unclaimed
DELETE FROM device WHERE client_id IN (
    SELECT client_id FROM device
    WHERE unclaimed AND last_seen < ? AND NOT EXISTS (SELECT 1 FROM job WHERE job.client_id = device.client_id)
    LIMIT ?
)

-- name: describe_device
INSERT INTO device (client_id, version, unclaimed, description) VALUES (?, '', 0, ?)
ON CONFLICT (client_id) DO UPDATE SET description = excluded.description, unclaimed = 0

-- name: delete_device_keys
-- See delete_tags.
WITH gone ("key", client_id) AS (VALUES :rows)
DELETE FROM device_key
WHERE ("key", client_id) IN (
    SELECT device_key."key", device_key.client_id FROM gone CROSS JOIN device_key USING ("key", client_id)
)

-- name: insert_device_keys
INSERT INTO device_key ("key", client_id) VALUES :rows

-- name: delete_device
DELETE FROM device WHERE client_id = ?

-- name: insert_tasks
INSERT INTO task (key, kind, state, due, attempts, ctime, mtime, input, cause) VALUES :rows ON CONFLICT (key) DO NOTHING

-- name: finish_task
UPDATE task SET state = ?, result = ?, due = ?, mtime = ? WHERE id = ? AND attempts = ? AND state = 'RUNNING'

-- name: key_of_task
SELECT key FROM task WHERE id = ?

-- name: due_tasks
SELECT due, id FROM task
WHERE kind = ? AND state IN ('WAITING', 'RUNNING') AND due <= ? ORDER BY due, id LIMIT ?

-- name: claim_tasks
WITH claimed (id, until, now) AS (VALUES :rows)
UPDATE task SET state = 'RUNNING', attempts = attempts + 1, due = until, mtime = now
FROM claimed WHERE task.id = claimed.id

-- name: end_claims
UPDATE task SET due = mtime WHERE state = 'RUNNING' AND due > mtime

-- name: next_task_due
SELECT min(due) FROM task WHERE kind = ? AND state IN ('WAITING', 'RUNNING')

-- name: open_tasks
SELECT kind, count(*) FROM task WHERE state IN ('WAITING', 'RUNNING') GROUP BY kind

-- name: tasks_by_id
SELECT id, key, kind, state, due, attempts, ctime, mtime, input, result, cause FROM task WHERE id IN (:items)

-- name: tasks_page
SELECT id, key, kind, state, due, attempts, ctime, mtime, input, result, cause
FROM task WHERE :conditions id :comparison ? ORDER BY id :order LIMIT ?

-- name: replay_task
UPDATE task SET state = 'WAITING', due = ?, mtime = ? WHERE id = ? AND state = 'FAILED'

-- name: hasten_tasks
UPDATE task SET due = ?
WHERE kind = ? AND state = 'WAITING' AND due > ? AND (? IS NULL OR id IN (SELECT value FROM json_each(?)))

-- name: count_finished_tasks
SELECT count(*) FROM task WHERE state IN ('DONE', 'FAILED')

-- name: drop_tasks
-- From before ?1, and the ?2 oldest.
DELETE FROM task WHERE id IN (
    SELECT id FROM (
        SELECT id, mtime, row_number() OVER (ORDER BY mtime, id) AS nth
        FROM (SELECT id, mtime FROM task WHERE state IN ('DONE', 'FAILED') ORDER BY mtime, id LIMIT ?3)
    )
    WHERE mtime < ?1 OR nth <= ?2
)

-- name: insert_event_answers
INSERT INTO event_answer (key, created, size, answer) VALUES :rows

-- name: event_answers
SELECT key, answer FROM event_answer WHERE key IN (:items)

-- name: measure_event_answers
SELECT count(*), coalesce(sum(size), 0) FROM event_answer

-- name: oldest_event_answers
SELECT number, created, size FROM event_answer ORDER BY created, number LIMIT ?

-- name: delete_event_answers
DELETE FROM event_answer WHERE number IN (VALUES :rows)

-- name: insert_score
INSERT INTO score (key, actor_id, points, reason, ctime) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING

-- name: add_to_total
INSERT INTO score_total AS known (actor_id, points) VALUES (?, ?)
ON CONFLICT (actor_id) DO UPDATE SET points = known.points + excluded.points

-- name: score_totals
SELECT actor_id, points FROM score_total WHERE actor_id IN (:items)

-- name: scores
SELECT number, key, actor_id, points, reason, ctime FROM score WHERE number > ? ORDER BY number LIMIT ?

-- name: scores_of_actor
SELECT number, key, actor_id, points, reason, ctime FROM score WHERE actor_id = ? AND number > ? ORDER BY number LIMIT ?

-- name: sequences
SELECT name, value FROM sequence WHERE name IN (:items)

-- name: put_sequences
INSERT INTO sequence (name, value) VALUES :rows ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: note_repetitions
INSERT INTO repetition AS known (root, element, times, mtime) VALUES :rows
ON CONFLICT (root, element) DO UPDATE SET times = known.times + excluded.times, mtime = excluded.mtime

-- name: repetitions
SELECT element, times FROM repetition WHERE root = ?

-- name: drop_repetitions
DELETE FROM repetition WHERE (root, element) IN (
    SELECT root, element FROM repetition WHERE mtime < ? ORDER BY mtime LIMIT ?
)

-- name: current_script
SELECT sha256 FROM current_script JOIN script USING (number) WHERE current_script.name = ?

-- name: count_scripts
SELECT count(*) FROM current_script

-- name: delete_current_script
DELETE FROM current_script WHERE name = ?

-- name: delete_script
DELETE FROM script WHERE name = ? AND sha256 = ?

-- name: insert_script
INSERT INTO script (name, sha256, ctime, size, findings, source) VALUES (?, ?, ?, ?, ?, ?)

-- name: insert_current_script
INSERT INTO current_script (name, number) VALUES (?, ?)

-- name: drop_old_scripts
DELETE FROM script WHERE number IN (
    SELECT number FROM script WHERE number NOT IN (SELECT number FROM current_script)
    ORDER BY number DESC LIMIT -1 OFFSET ?
)

-- name: present_script
SELECT script.name, sha256, ctime, size, findings, 1, source
FROM current_script JOIN script USING (number) WHERE current_script.name = ?

-- name: script_version
SELECT name, sha256, ctime, size, findings, number IN (SELECT number FROM current_script), source
FROM script WHERE name = ? AND sha256 = ?

-- name: scripts
SELECT script.name, sha256, ctime, size, findings, 1
FROM current_script JOIN script USING (number) WHERE current_script.name > ? ORDER BY current_script.name LIMIT ?

-- name: script_versions
SELECT name, sha256, ctime, size, findings, number IN (SELECT number FROM current_script)
FROM script WHERE name = ? ORDER BY number DESC
