"""Statements as releases have them that know nothing of counts of tags, on whose tables they work."""

from __future__ import annotations

import re

from wfx.store.batching_store import BatchingStore
from wfx.store.postgres.backend import PostgresBackend
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
