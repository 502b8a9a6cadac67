"""Statements as releases have them that know nothing of counts of tags, on whose tables they work."""

from __future__ import annotations

import re
from typing import Any

import pytest

from wfx.store.batching_store import BatchingStore
from wfx.store.postgres import opening
from wfx.store.postgres.backend import PostgresBackend
from wfx.store.postgres.enrolment import Membership
from wfx.store.postgres.migrate import migrations
from wfx.store.postgres.statements import FencedStatements, fenced_statements
from wfx.store.protocol import Store

_PARTS = re.compile(
    r",\s+tag_counted = CASE.*?END(?=\s+WHERE)"
    r"|shifts_of_tags AS .*?(?=past AS )",
    re.DOTALL,
)


def write_as_before_counts_of_tags(store: Store) -> None:
    """Let a store write so from now on."""
    assert isinstance(store, BatchingStore)
    assert isinstance(store.backend, PostgresBackend)
    known = [_PARTS.sub("", sql) for sql in fenced_statements(make_durable=False)]
    assert not [sql for sql in known if "tag_count" in sql or "tag_shift" in sql]
    store.backend._writer._fenced = FencedStatements(*known)


def start_as_before(newest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stores make tables up to this schema, which knows no keys yet, and ask for nothing newer at a start."""
    monkeypatch.setattr(opening, "migrations", lambda: [step for step in migrations() if step.number <= newest])
    monkeypatch.setattr(opening, "admit", _nothing)
    monkeypatch.setattr(Membership, "claim", _claim)


async def _nothing(*_: object) -> None:
    pass


async def _claim(_: Membership, plain: Any, server: Any) -> Any:
    told = "RETURNING epoch, batch, first_seq, stale, done"
    row = await plain.fetchrow(f"UPDATE writer SET epoch = epoch + 1, seen = now() WHERE id = $1 {told}", server)
    values = "VALUES ($1, 1, 0, '{}', false, now())"
    return row or await plain.fetchrow(
        f"INSERT INTO writer (id, epoch, batch, stale, done, seen) {values} {told}", server
    )
