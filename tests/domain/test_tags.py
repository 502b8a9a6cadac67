from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.samples import applied, new_job, texts
from wfx.domain import tags
from wfx.domain.errors import TooManyTags
from wfx.domain.job import Action, Job
from wfx.domain.json import decode

few = st.lists(texts | st.sampled_from(["", "a", "b", "ä", "\uffff", "\U00010000"]), max_size=6)


def tagged(*names: str) -> Job:
    """Return a job with these tags."""
    return new_job(tags=names)


def test_tags_are_sorted_bytewise_without_trimming() -> None:
    """Tags come sorted by their bytes, each once, as they were written; the empty one is a tag too."""
    change = tags.add(tagged("b", "B"), ["b", " b", "", "\U00010000", "\uffff", "b"])
    assert change.tags == '[""," b","B","b","\uffff","\U00010000"]'.encode()
    assert change.action is Action.ADD_TAGS


def test_unknown_tags_are_removed_without_complaint() -> None:
    """Removing a tag that the job does not have changes nothing and is allowed."""
    change = tags.remove(tagged("a", "b"), ["c", "b", "b"])
    assert change.tags == b'["a"]'
    assert change.action is Action.DELETE_TAGS


@given(few, few)
def test_adding_is_union(before: list[str], added: list[str]) -> None:
    """Afterwards a job has the tags of before and the added ones, sorted by their bytes."""
    change = tags.add(tagged(*before), added)
    assert decode(change.tags) == sorted({*before, *added}, key=str.encode)


@given(few, few)
def test_removing_is_difference(before: list[str], removed: list[str]) -> None:
    """Afterwards a job has the tags of before without the removed ones, sorted by their bytes."""
    change = tags.remove(tagged(*before), removed)
    assert decode(change.tags) == sorted(set(before) - set(removed), key=str.encode)


@given(few, few)
def test_added_tags_can_be_removed_again(before: list[str], added: list[str]) -> None:
    """Adding tags and removing the same leaves those of before that were not among them; twice is as good as once."""
    job = tagged(*before)
    once = applied(job, tags.add(job, added))
    assert tags.add(once, added).tags == once.tags
    assert set(decode(tags.remove(once, added).tags)) == set(before) - set(added)


@given(few, few)
def test_tags_leave_the_rest_alone(before: list[str], named: list[str]) -> None:
    """Tag changes leave state, status and definition as they are."""
    job = new_job(definition={"n": 1}, tags=tuple(before))
    for change in (tags.add(job, named), tags.remove(job, named)):
        assert (change.state, change.status, change.definition) == (job.state, job.status, job.definition)
        assert change.definition_hash == job.definition_hash


@pytest.mark.parametrize("names", [[f"{n:04}" for n in range(1024)], ["x" * (128 * 1024 - 4)]])
def test_as_many_tags_as_a_job_may_have(names: list[str]) -> None:
    """A job may have 1,024 tags, and 128 KiB of them; one tag or one byte more is refused, and none of it is done."""
    job = tagged()
    full = applied(job, tags.add(job, names))
    assert decode(full.tags) == names
    with pytest.raises(TooManyTags, match="at most 1,024 tags, of 131,072 bytes together"):
        tags.add(full, ["y"])
    with pytest.raises(TooManyTags):
        tagged(*names, "y")


def test_a_job_with_too_many_tags_can_be_mended() -> None:
    """A job that has more tags than allowed, from an older store, keeps them, may be told them again, and lose some."""
    names = [f"{n:04}" for n in range(2000)]
    full = tagged()._replace(tags=tags.ordered(names))
    assert tags.add(full, names[:5]).tags == full.tags
    assert decode(tags.remove(full, names[:100]).tags) == names[100:]
