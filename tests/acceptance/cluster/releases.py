"""Other releases of wfx for tests, each in a directory of its own: the one before, and a next one."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from wfx.store.postgres.migrate import TABLES, migrations

THIS = Path(__file__).parents[3]
"""The one under test."""
BEFORE = "b0ddeddcb1cd43bf18a1034d9dec2c799b861653"
"""The commit of the release before; until the first one, of a program with fewer steps. Set it at each release."""
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
        shutil.copytree(THIS / part, folder / part)
    for number, step in enumerate(steps, NEXT):
        (folder / "wfx" / "store" / "postgres" / "migrations" / f"{number:04}_planted.sql").write_text(step)
    return folder


def release_before(folder: Path) -> Path:
    """Unpack the release before into a folder. Skips the test where its commit is not in the history at hand."""
    if not _git("cat-file", "-t", BEFORE):
        is_whole = _git("rev-parse", "--is-shallow-repository") == b"false\n"
        assert not is_whole, f"the commit {BEFORE[:12]} of the release before is not in the history"
        pytest.skip(f"NOT TRIED: {BEFORE[:12]}, the release before, is not here; say `git fetch --unshallow`")
    with tarfile.open(fileobj=io.BytesIO(_git("archive", BEFORE, "wfx", "spec"))) as archive:
        archive.extractall(folder, filter="data")
    return folder


def newest_step(release: Path) -> int:
    """Return the number of the last step that a release knows."""
    return max(int(path.name[:4]) for path in (release / "wfx" / "store" / "postgres" / "migrations").glob("*.sql"))


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=THIS, capture_output=True, check=False).stdout


def environment_of(release: Path) -> dict[str, str]:
    """Return what makes a program one of this release; of the one under test if it is that."""
    return {} if release == THIS else {"PYTHONPATH": str(release)}
