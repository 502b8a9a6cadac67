-- How many entries were dropped from the middle of a job's history; see trimming.py.
ALTER TABLE job ADD COLUMN history_dropped INTEGER NOT NULL DEFAULT 0;
