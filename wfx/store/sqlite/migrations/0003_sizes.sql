-- size: the bytes of a job's documents, its client's name among them. history_bytes: those of its history. They tell how much
-- there is to read before it is read. What is left over of deleted jobs counts for none, even one of the same number.
ALTER TABLE job ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN history_bytes INTEGER NOT NULL DEFAULT 0;

WITH RECURSIVE swept_later (number) AS (
    SELECT entry FROM leftover
    UNION
    SELECT earlier FROM history JOIN swept_later USING (number) WHERE earlier IS NOT NULL
),
kept (job, bytes) AS (
    SELECT job, sum(length(CAST(status AS BLOB)) + coalesce(length(CAST(definition AS BLOB)), 0))
    FROM history WHERE number NOT IN (SELECT number FROM swept_later)
    GROUP BY job
)
UPDATE job SET history_bytes = kept.bytes FROM kept WHERE kept.job = job.number;

UPDATE job
SET size = length(CAST(client_id AS BLOB)) + length(CAST(tags AS BLOB)) + length(CAST(status AS BLOB))
    + coalesce((SELECT length(CAST(document AS BLOB)) FROM definition WHERE definition.job = job.number), 0);
