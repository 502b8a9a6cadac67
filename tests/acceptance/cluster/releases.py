"""A next release of wfx for tests: this one, with further steps of its tables, in a directory of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

from wfx.store.postgres.migrate import TABLES, migrations

_ROOT = Path(__file__).parents[3]
NEXT = migrations()[-1].number + 1
"""The number of the next release's first step."""
EXPANDING = "\n".join([
    f"-- oldest program: {migrations()[-1].oldest}",
    *(f"ALTER TABLE {table} ADD COLUMN more text NOT NULL DEFAULT 'more';" for table in TABLES),
    "CREATE INDEX job_more ON job (more, number);",
    "CREATE TABLE more (job bigint PRIMARY KEY REFERENCES job (number) ON DELETE CASCADE, more text NOT NULL);",
])  # fmt: skip
"""A step that adds to every table."""
CONTRACTING = f"-- oldest program: {NEXT}\nALTER TABLE job DROP COLUMN history_dropped;\n"
"""A step that takes away what programs that do not know the step before still use."""


def next_release(folder: Path, *steps: str) -> Path:
    """Make a release with these further steps in an empty folder."""
    for part in ("wfx", "spec"):
        shutil.copytree(_ROOT / part, folder / part)
    for number, step in enumerate(steps, NEXT):
        (folder / "wfx" / "store" / "postgres" / "migrations" / f"{number:04}_planted.sql").write_text(step)
    return folder


def environment_of(release: Path | None) -> dict[str, str]:
    """Return what makes a program one of this release; of the one under test if there is none."""
    return {} if release is None else {"PYTHONPATH": str(release)}
