"""Lists by the beginning of client ids look at few jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.store.samples import FLOW, begin, together
from wfx.domain.job_list import JobListQuery
from wfx.store.opening import open_store
from wfx.store.postgres import job_list
from wfx.store.postgres.connecting import Connector
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.job_search import Condition
from wfx.store.postgres.target import read_target
from wfx.store.prefixes import successor


@pytest.fixture
async def plain(option: str) -> AsyncIterator[Plain]:
    """A connection to a database with the jobs of 200 clients; it avoids what goes through whole tables."""
    store = await open_store("postgres", option)
    await store.create_workflow(FLOW)
    await together(*(store.create_job(FLOW.name, begin(f"c{n}")) for n in range(200)))
    opened = await Connector(read_target(option))()
    await opened.execute("ANALYZE job; SET enable_seqscan = off")
    yield opened
    await opened.close()
    await store.close()


@pytest.mark.parametrize("prefix", ["c77", "c" * 600])
async def test_an_index_finds_them(plain: Plain, prefix: str) -> None:
    """The index of client ids finds those that begin so, however long the beginning is."""
    condition = job_list.with_prefix(Condition("", []), prefix)
    plan = await plain.fetch(f"EXPLAIN SELECT number FROM job {condition.sql}", *condition.values)
    assert "job_client" in "\n".join(row[0] for row in plan)


async def test_a_page_reads_no_others(plain: Plain) -> None:
    """Of 200 jobs a page of the one that fits has that one among its candidates, and no other."""
    (row,) = (await job_list.list_jobs(plain, JobListQuery(client_prefix="c77"))).rows
    assert row.client_id == "c77"
    assert len(await job_list._candidates(plain, JobListQuery(client_prefix="c77"), 100)) == 1


@pytest.mark.parametrize(("prefix", "following"), [
    ("a", "b"), ("ab", "ac"), ("a\U0010ffff", "b"), ("\ud7ff", "\ue000"), ("\U0010ffff", None), ("~", "\x7f"),
])  # fmt: skip
def test_what_comes_behind_a_prefix(prefix: str, following: str | None) -> None:
    """The end of what begins so is the next text that does not, which may not be there."""
    assert successor(prefix) == following
