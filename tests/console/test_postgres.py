"""What the console is there for, against a service on PostgreSQL: tests of other files once more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from postgres_server import Postgres

from tests.console.fleet import Fleet, served
from tests.console.test_bulk import test_a_few_jobs as test_bulk_of_a_few_jobs
from tests.console.test_bulk import test_all_that_match as test_bulk_of_all_that_match
from tests.console.test_devices import no_devices
from tests.console.test_devices import test_describing_a_device as test_devices_described
from tests.console.test_events import test_live as test_events_live
from tests.console.test_job import test_a_change_meanwhile as test_job_that_changed_meanwhile
from tests.console.test_job import test_a_retry as test_job_retried
from tests.console.test_jobs import test_a_restart as test_jobs_over_a_restart
from tests.console.test_jobs import test_filters_are_the_address as test_jobs_by_filters
from tests.console.test_overview import test_it_counts_and_follows as test_overview_follows

__all__ = [
    "no_devices", "test_bulk_of_a_few_jobs", "test_bulk_of_all_that_match", "test_devices_described",
    "test_events_live", "test_job_retried", "test_job_that_changed_meanwhile", "test_jobs_by_filters",
    "test_jobs_over_a_restart", "test_overview_follows",
]  # fmt: skip


@pytest.fixture(scope="module")
def serving(postgres: Postgres, database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A service on PostgreSQL, with the workflow."""
    options = ("--storage=postgres", f"--storage-opt={postgres.conninfo(database)}")
    with served(tmp_path_factory.mktemp("console"), *options) as found:
        yield found
