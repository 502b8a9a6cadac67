-- Who and what brought an event about, and where its job stood before. Events of releases before this one have NULL in both.
-- cause: a JSON array of the id of the request, its side, the actor, the root event and the depth, as far as the last one that
-- is not empty. state_before: the place of the state among those of the event's workflow, from 0. An event about a workflow has
-- an empty job_id and client_id.
ALTER TABLE event ADD COLUMN state_before INTEGER;
ALTER TABLE event ADD COLUMN cause TEXT;

-- created: the event of the workflow's creation; NULL where that has none. "deleted" is the event of its deletion from now on.
ALTER TABLE workflow ADD COLUMN created INTEGER;

-- The terms that the rest of the program has for these.
ALTER TABLE place RENAME TO workflow_state;
ALTER TABLE job RENAME COLUMN place TO workflow_state;
ALTER TABLE leftover RENAME TO orphaned_history;

DROP INDEX place_workflow;
DROP INDEX place_state;
DROP INDEX place_group;
DROP INDEX job_place;
CREATE INDEX workflow_state_workflow ON workflow_state (workflow);
CREATE INDEX workflow_state_state ON workflow_state (state);
CREATE INDEX workflow_state_group ON workflow_state ("group");
CREATE INDEX job_workflow_state ON job (workflow_state);
