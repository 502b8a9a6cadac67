"""The oldest and the newest supported PostgreSQL, beside Debian's; `make test-postgres-versions` tries more of all."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from postgres_server import VERSION

_STORE = "tests/store"
_CORE = [
    f"{_STORE}/{each}"
    for each in (
        "postgres/test_private_server.py::test_version",
        "postgres/test_migrations.py::test_a_step_that_fails_leaves_nothing",
        "postgres/test_several_servers.py::test_servers_that_start_at_once_make_the_tables_once",
        "postgres/test_several_servers.py::test_changes_of_one_job_by_all_servers_happen_once_each",
        "postgres/test_several_servers.py::test_every_server_shows_the_same_log",
        "postgres/test_several_servers.py::test_a_lease_is_held_by_one_server",
        "postgres/test_checking.py::test_every_index_and_constraint_is_expected",
        "postgres/test_checking.py::test_the_command",
        "test_bulk.py::test_a_slice_does_each_item_or_says_why_not",
        "test_bulk.py::test_each_slice_is_taken_once",
        "test_bulk.py::test_selections_find_what_lists_show",
        "test_read_your_writes.py",
        "test_log.py::test_each_job_change_is_one_event",
        "test_log.py::test_numbers_and_identity_go_on_after_reopening",
        "test_log.py::test_a_follower_far_behind_misses_nothing",
        "test_summaries.py::test_every_combination_of_conditions_counts_what_it_finds",
    )
]
"""What uses most of the statements and of what PostgreSQL has to do."""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="there are packages for x86-64 alone")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", ["14", "18"])
def test_core(version: str) -> None:
    """The tables are made, and changes, the log, its events on other servers, bulk requests and checks are right."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-k", "not (sqlite or memory)", *_CORE],
        cwd=Path(__file__).parents[3], env=environment | {VERSION: version}, capture_output=True, text=True,
        timeout=550, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
