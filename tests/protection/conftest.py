"""What tests of encryption share: a PostgreSQL that writes down all it can."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from postgres_server import Postgres

TALKATIVE = (
    "log_statement=all", "log_parameter_max_length=-1", "log_parameter_max_length_on_error=-1",
    "log_error_verbosity=verbose", "log_min_duration_statement=0", "full_page_writes=on", "wal_level=logical",
)  # fmt: skip
"""Settings with which PostgreSQL writes down as much as it can."""


@pytest.fixture(scope="module")
def talkative() -> Iterator[Postgres]:
    """A PostgreSQL of its own that tells most in its log, and has nothing in it."""
    with Postgres() as postgres:
        postgres.restart(settings=TALKATIVE)
        yield postgres
