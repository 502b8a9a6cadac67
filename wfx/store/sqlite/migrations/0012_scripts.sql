-- Versions of scripts. number: the order in which they were put last; size: that of the source in bytes.
CREATE TABLE script (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL,
    sha256   TEXT NOT NULL,
    ctime    INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    findings TEXT NOT NULL,
    source   TEXT NOT NULL,
    UNIQUE (name, sha256)
);

-- The version that a name stands for.
CREATE TABLE current_script (
    name   TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE REFERENCES script (number)
) WITHOUT ROWID;
