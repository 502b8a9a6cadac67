-- The newest entries of the histories that jobs left behind which are deleted. Deleting a long history takes time, so it goes
-- piece by piece, from its newest entry back, and this tells how far it is.
CREATE TABLE leftover (
    entry INTEGER PRIMARY KEY
);
