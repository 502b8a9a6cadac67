"""Workflows in memory."""

from __future__ import annotations

from dataclasses import replace

from tests.store.samples import FLOW, renamed
from wfx.domain.workflow import Workflow
from wfx.store.sqlite.workflow_cache import WorkflowCache


def numbered(number: int) -> Workflow:
    """Return a workflow as it is stored."""
    return replace(renamed(f"flow-{number}", FLOW), number=number)


def test_what_was_kept_is_found_by_number_and_by_name() -> None:
    """Names are found once they were given, numbers as soon as their workflow is kept."""
    cache = WorkflowCache()
    cache.keep(numbered(1))
    cache.name(numbered(2))
    assert cache.numbered([1, 2, 3]) == {1: numbered(1), 2: numbered(2)}
    assert [cache.named(f"flow-{n}") for n in (1, 2, 3)] == [None, numbered(2), None]


def test_a_taken_name_is_found_no_more_but_its_number_is() -> None:
    """After a deletion the name stands for nothing, while events still find the workflow by number."""
    cache = WorkflowCache()
    cache.name(numbered(1))
    cache.unname("flow-1")
    assert cache.named("flow-1") is None
    assert 1 in cache.numbered([1])


def test_room_is_bounded_and_what_is_used_stays() -> None:
    """When there is no room, the workflows that were not asked for longest go, with their names."""
    cache = WorkflowCache(room=3 * len(numbered(1).encoded) + 10)
    for number in (1, 2, 3):
        cache.keep(replace(numbered(number)))
        cache.name(numbered(number))
    cache.numbered([1])
    cache.name(numbered(4))
    assert set(cache.numbered(range(9))) == {1, 3, 4}
    assert [number for number in range(9) if cache.named(f"flow-{number}")] == [1, 3, 4]


def test_a_workflow_larger_than_the_room_is_kept_alone() -> None:
    """Even then the workflow used last need not be read again."""
    cache = WorkflowCache(room=10)
    for number in (1, 2):
        cache.name(numbered(number))
    assert set(cache.numbered([1, 2])) == {2}
    assert (cache.named("flow-1"), cache.named("flow-2")) == (None, numbered(2))
