"""A database as the reference implementation leaves it: rest-api section 15."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE workflow (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE, description text NULL,
    states json NOT NULL, transitions json NOT NULL, groups json NOT NULL
);
CREATE TABLE job (
    id text NOT NULL PRIMARY KEY, stime datetime NOT NULL, mtime datetime NOT NULL, client_id text NOT NULL,
    definition json NULL, status json NOT NULL, `group` text NULL,
    workflow_jobs integer NULL REFERENCES workflow (id) ON DELETE NO ACTION
);
CREATE INDEX job_stime ON job (stime);
CREATE INDEX job_client_id ON job (client_id);
CREATE INDEX job_group ON job (`group`);
CREATE INDEX job_state ON job (json_extract(status, '$.state'));
CREATE TABLE tag (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE);
CREATE TABLE tag_jobs (
    tag_id integer NOT NULL REFERENCES tag (id) ON DELETE CASCADE,
    job_id text NOT NULL REFERENCES job (id) ON DELETE CASCADE, PRIMARY KEY (tag_id, job_id)
);
CREATE INDEX tag_jobs_job_id ON tag_jobs (job_id);
CREATE TABLE history (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT, mtime datetime NOT NULL, status json NULL, definition json NULL,
    job_history text NULL REFERENCES job (id) ON DELETE CASCADE
);
CREATE TABLE schema_migrations (version uint64, dirty bool);
CREATE UNIQUE INDEX version_unique ON schema_migrations (version);
INSERT INTO schema_migrations VALUES (20260331155900, 0);
"""
EMPTY_HASH = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
STATES = [{"name": "NEW"}, {"name": "RUN", "description": "works"}, {"name": "DONE"}]
TRANSITIONS = [
    {"from": "NEW", "to": "RUN", "eligible": "CLIENT"},
    {"from": "RUN", "to": "DONE", "eligible": "WFX", "action": "WAIT"},
]


def blob(document: Any) -> bytes:
    """Encode as the reference stores JSON: text in a BLOB."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def make(path: Path, hash_of: dict[str, str]) -> None:
    """Make the file, with three jobs; ``hash_of`` has the hashes of the definitions ``one`` and ``two``.

    Job "a" was created, tagged, moved, redefined and tagged again. "b" is older, though its text of time sorts after.
    """
    with closing(sqlite3.connect(path)) as file:
        file.executescript(SCHEMA)
        file.executemany("INSERT INTO workflow VALUES (?, ?, ?, ?, ?, ?)", [
            (1, "lamp", "lights", blob(STATES), blob(TRANSITIONS), blob([{"name": "OPEN", "states": ["NEW", "RUN"]}])),
            (3, "plain", None, blob([{"name": "S"}]), blob([]), blob(None)),
        ])  # fmt: skip
        file.executemany("INSERT INTO job VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [
            ("a", "2026-07-01 10:00:00.1234567+02:00", "2026-07-01 10:00:04+02:00", "press-1", blob({"version": 2.0}),
             blob({"clientId": "dev", "definitionHash": hash_of["two"], "progress": 0, "state": "RUN"}), "OPEN", 1),
            ("b", "2026-07-01 12:00:00+05:00", "2026-07-01 12:00:00+05:00", "press-2", None,
             blob({"clientId": "press-2", "definitionHash": EMPTY_HASH, "state": "S"}), "", 3),
            ("c", "2026-07-01 10:00:01+02:00", "2026-07-01 10:00:01+02:00", "press-1", b"null",
             blob({"clientId": "press-1", "definitionHash": EMPTY_HASH, "state": "NEW"}).decode(), "OPEN", 1),
        ])  # fmt: skip
        began = {"clientId": "press-1", "definitionHash": hash_of["one"], "state": "NEW"}
        moved = {"clientId": "dev", "definitionHash": hash_of["two"], "progress": 0, "state": "RUN"}
        file.executemany("INSERT INTO history (mtime, status, definition, job_history) VALUES (?, ?, ?, 'a')", [
            ("2026-07-01 10:00:00.1234567+02:00", blob({"state": ""}), None),
            ("2026-07-01 10:00:01+02:00", blob(began), None),
            ("2026-07-01 10:00:02+02:00", blob(moved), blob({"version": 1})),
            ("2026-07-01 10:00:03+02:00", blob(moved), blob({"version": 2.0})),
            ("2026-07-01 10:00:03+02:00", blob({"state": ""}), None),
        ])  # fmt: skip
        file.executemany("INSERT INTO tag VALUES (?, ?)", [(1, "ü"), (2, "hall"), (3, "unused")])
        file.executemany("INSERT INTO tag_jobs VALUES (?, ?)", [(1, "a"), (2, "a"), (2, "c")])
        file.commit()
