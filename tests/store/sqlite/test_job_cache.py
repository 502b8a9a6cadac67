"""Jobs and answers in memory: right after every commit, and bounded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.store.backends import SQLITE_BACKENDS, Backend, SetClock
from tests.store.samples import FLOW, begin
from wfx.domain.job import Job
from wfx.domain.json import Json
from wfx.domain.query import JobQuery, Page, Paging
from wfx.domain.timestamp import Timestamp
from wfx.store.bounded_cache import BoundedCache
from wfx.store.protocol import NoRoom
from wfx.store.sizes import size_of
from wfx.store.sqlite.job_cache import JobCache
from wfx.store.sqlite.numbering import NumberedJob
from wfx.store.sqlite.rows import StoredJob

MOMENT = Timestamp(1)


def job(name: str, client_id: str = "press-7", version: int = 1) -> Job:
    """Return a job as it is stored."""
    return Job(name, client_id, FLOW, "NEW", Json(b'{"state":"NEW"}'), "", None, Json(b"[]"), MOMENT, MOMENT, version)


def stored(name: str, version: int = 1) -> StoredJob:
    """Return a job with its numbers."""
    one = job(name, version=version)
    return StoredJob(1, None, 0, 0, one, size_of(one))


def changed(name: str) -> NumberedJob:
    """Return what a commit says of a job that it changed."""
    after = job(name, version=2)
    return NumberedJob(1, 1, 9, 0, job(name), after, size_of(after))


def test_a_commit_replaces_what_was_kept() -> None:
    """After a change the job is found as it is now, and what its client was answered is forgotten."""
    cache = JobCache()
    query = JobQuery(client_id="press-7")
    cache.keep(stored("a"), cache.age)
    cache.keep_page(query, Page((job("a"),)), cache.age)
    assert cache.page(query) == Page((job("a"),))
    cache.take_in([changed("a")])
    assert cache.job("a") == changed("a").stored
    assert cache.page(query) is None


def test_a_deleted_job_is_forgotten() -> None:
    """A job that was deleted is not found, nor in the answers to its client."""
    cache = JobCache()
    query = JobQuery(client_id="press-7")
    cache.keep(stored("a"), cache.age)
    cache.keep_page(query, Page((job("a"),)), cache.age)
    cache.take_in([replace(changed("a"), after=None)])
    assert cache.job("a") is None
    assert cache.page(query) is None


def test_new_jobs_push_nobody_out() -> None:
    """A created job is not kept before it is asked for, but its client's answers are forgotten."""
    cache = JobCache()
    query = JobQuery(client_id="press-7")
    cache.keep_page(query, Page(()), cache.age)
    cache.take_in([NumberedJob(1, None, 0, 0, None, job("a"), size_of(job("a")))])
    assert cache.job("a") is None
    assert cache.page(query) is None


def test_what_did_not_change_stays() -> None:
    """A commit that refused a change, or that is about others, leaves what is kept."""
    cache = JobCache()
    query = JobQuery(client_id="press-7")
    cache.keep(stored("a"), cache.age)
    cache.keep_page(query, Page((job("a"),)), cache.age)
    same = job("a")
    other = job("b", client_id="press-8")
    cache.take_in(
        [NumberedJob(1, None, 0, 0, same, same, 9), NumberedJob(2, None, 0, 0, other, other._replace(version=2), 9)]
    )
    assert cache.job("a") == stored("a")
    assert cache.page(query) is not None


def test_what_was_read_before_a_commit_is_not_kept() -> None:
    """A read that comes in after a commit, or after a failure, may be of the past."""
    for happen in (lambda cache: cache.take_in([changed("b")]), JobCache.clear):
        cache = JobCache()
        query = JobQuery(client_id="press-7")
        age = cache.age
        happen(cache)
        cache.keep(stored("a"), age)
        cache.keep_page(query, Page(()), age)
        assert (cache.job("a"), cache.page(query)) == (None, None)


def test_answers_of_one_client_are_few() -> None:
    """A client that asks in ever new ways does not fill the memory."""
    cache = JobCache()
    queries = [JobQuery(client_id="press-7", paging=Paging(offset=n)) for n in range(100)]
    for query in queries:
        cache.keep_page(query, Page(()), cache.age)
    assert 0 < sum(cache.page(query) is not None for query in queries) <= 8
    assert cache.page(queries[-1]) is not None


def test_what_is_used_stays_when_room_is_needed() -> None:
    """The room is bounded; what was used since half of it was filled anew is still there."""
    kept: BoundedCache[int, bytes] = BoundedCache(100, len)
    for number in range(50):
        kept.put(number, b"12345")
        assert kept.get(0) == b"12345"
    assert kept.get(49) is not None, "the newest"
    assert kept.get(1) is None, "not used since"
    assert kept.get(0) is not None, "used all the time"


def test_a_value_larger_than_the_room_is_let_go() -> None:
    """Something huge makes room go round, and is gone once something else comes."""
    kept: BoundedCache[int, bytes] = BoundedCache(100, len)
    kept.put(1, b"x" * 1000)
    assert kept.get(1) == b"x" * 1000
    kept.put(2, b"x" * 1000)
    assert kept.get(1) is None


@pytest.mark.parametrize("part", ["status", "definition", "tags", "client_id"])
def test_documents_count(part: str) -> None:
    """The documents of the jobs that are kept, each part of them, have no more bytes than there is room for."""
    text = "x" * 1000
    cache = JobCache(room=40_000)
    heavy = {
        name: job(name)._replace(**{part: text if part == "client_id" else Json(text.encode())})
        for name in map(str, range(100))
    }
    for name, each in heavy.items():
        cache.keep(StoredJob(1, None, 0, 0, each, size_of(each)), cache.age)
        cache.keep_page(JobQuery(client_id=name), Page((each,)), cache.age)
    assert 0 < 1000 * sum(cache.job(name) is not None for name in heavy) <= 20_000
    assert 0 < 1000 * sum(cache.page(JobQuery(client_id=name)) is not None for name in heavy) <= 20_000


@pytest.mark.parametrize("backend", SQLITE_BACKENDS, ids=lambda backend: backend.name)
async def test_a_job_in_memory_takes_no_room(backend: Backend, tmp_path: Path, clock: SetClock) -> None:
    """A job is only read where there is room for it; once it was read it is in memory and takes none."""
    async with backend.open(tmp_path, clock) as store:
        await store.create_workflow(FLOW)
        created = await store.create_job(FLOW.name, begin("c", definition={"text": "x" * 100_000}))
        with pytest.raises(NoRoom):
            await store.get_job(created.id, 0)
        assert await store.get_job(created.id) == created
        assert await store.get_job(created.id, 0) == created
