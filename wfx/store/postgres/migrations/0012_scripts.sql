-- oldest program: 1

-- Versions of scripts. number: the order in which they were put last; size: that of the source in bytes.
CREATE TABLE script (
    number   bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    name     text COLLATE "C" NOT NULL,
    sha256   text COLLATE "C" NOT NULL,
    ctime    bigint NOT NULL,
    size     bigint NOT NULL,
    findings text NOT NULL,
    source   text NOT NULL,
    PRIMARY KEY (name, sha256)
);

-- The version that a name stands for.
CREATE TABLE current_script (
    name   text COLLATE "C" PRIMARY KEY,
    sha256 text COLLATE "C" NOT NULL,
    FOREIGN KEY (name, sha256) REFERENCES script
);
