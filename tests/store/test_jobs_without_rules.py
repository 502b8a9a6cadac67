"""Jobs where there are no rules: nothing is asked, written or waited for that rules alone need."""

from __future__ import annotations

import re

import pytest

from tests.store.backends import sqlite_of
from tests.store.samples import FLOW, begin, move
from wfx.store.bulk import BulkRecord, SliceResult
from wfx.store.opening import open_store
from wfx.store.operations import ChangeJob, DeleteJob
from wfx.store.postgres.statements import fenced_statements

_OF_RULES = re.compile(r"\b(task|event_answer|score|score_total|sequence|repetition)\b")


async def test_no_statement_is_about_rules_on_sqlite() -> None:
    """Jobs are created, changed and deleted, steps and slices taken, without a look at the tables of rules."""
    store = await open_store("sqlite", "file:wfx?mode=memory&cache=shared&_fk=1")
    await store.create_workflow(FLOW)
    await store.consumer("reader")
    await store.open_bulk("k", BulkRecord("fingerprint", "content", 1))
    connection = sqlite_of(store)._writer._connection
    assert connection is not None
    said: list[str] = []
    await connection.set_trace_callback(said.append)
    job = await store.create_job(FLOW.name, begin(tags=["x"], definition={"n": 1}))
    await store.change_job(job.id, move("RUN"))
    await store.step("reader", 1, 0, 2, [ChangeJob(job.id, move("RUN"))])
    await store.take_slice("k", 0, [[ChangeJob(job.id, move("RUN"))]], lambda _: SliceResult(1, 0, "x"))
    await store.step("reader", 2, 1, 2, [DeleteJob(job.id)])
    await connection.set_trace_callback(lambda _: None)
    await store.close()
    assert len([sql for sql in said if sql.startswith("COMMIT")]) == 5
    assert [sql for sql in said if _OF_RULES.search(sql)] == []


@pytest.mark.parametrize("name", ["apply", "apply_still", "apply_step", "apply_slice", "apply_whole"])
def test_no_statement_is_about_rules_on_postgresql(name: str) -> None:
    """The statement that writes a batch names none of the tables of rules, and has no part left to fill in."""
    sql = getattr(fenced_statements(make_durable=False), name)
    assert not _OF_RULES.search(sql)
    assert not re.search(r"(?<!:):[a-z]|\$r\d", sql)


@pytest.mark.parametrize("name", ["apply_step_with_records", "apply_events", "apply_task"])
def test_statements_with_records_are_whole(name: str) -> None:
    """The statements with records are filled in, and their values are numbered without a gap."""
    sql = getattr(fenced_statements(make_durable=True), name)
    assert set(_OF_RULES.findall(sql)) >= {"task", "score", "score_total", "sequence", "repetition"}
    assert not re.search(r"(?<!:):[a-z]|\$r\d", sql)
    numbers = {int(number) for number in re.findall(r"\$(\d+)", sql)}
    assert numbers == set(range(1, max(numbers) + 1))
