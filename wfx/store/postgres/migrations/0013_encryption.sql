-- oldest program: 1

-- Which keys values are sealed with, and how the newest server writes; NULL as long as none ever were.
ALTER TABLE wfx_schema ADD COLUMN used_keys text;

-- Of each server the same of its keys, and the session that it writes by: where that is gone, the server is. A pooler of
-- transactions has no sessions of servers; a server behind one is gone when it was not seen for a while.
ALTER TABLE writer ADD COLUMN keys text, ADD COLUMN pid integer, ADD COLUMN began timestamptz;
