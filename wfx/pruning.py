"""The command ``wfx prune``."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable

from wfx.commandline.failures import EXIT_OK, Failure, UsageFailure
from wfx.commandline.invocation import Invocation
from wfx.commandline.options import Settings
from wfx.commandline.progress import shown
from wfx.commandline.terminal import neutralise
from wfx.config.encryption import sealing_for
from wfx.config.max_ages import MaxAges, parse_age
from wfx.domain.cause import Cause
from wfx.domain.errors import StoreError, StoreUnusable
from wfx.domain.finished import is_finished
from wfx.domain.query import Paging
from wfx.domain.workflow import Workflow
from wfx.service.job_retention import delete_jobs
from wfx.service.old_jobs import OldJobs
from wfx.store.backend_kinds import backend_kind
from wfx.store.opening import open_store
from wfx.store.protocol import Store
from wfx.store.storage_settings import StorageSettings
from wfx.store.upkeep import AT_ONCE, present

_CAUSE = Cause(actor="wfx prune").encoded
_ROOM = 4 * 1024 * 1024
"""Bytes of workflows that are read at once."""
_Pruned = Counter[tuple[str, str]]
"""Numbers of jobs by workflow and state."""
_Show = Callable[[str, int, int], None]


def run_prune(call: Invocation) -> int:
    """Delete finished jobs that are old. Raises Failure."""
    if call.arguments:
        raise UsageFailure(f'wfx prune takes no arguments, but was given "{call.arguments[0]}"')
    settings = call.settings
    ages, dry_run = _ages(settings), settings.flag("dry-run")
    try:
        backend_kind(settings.text("storage")).require_lasting(settings.text("storage-opt"))
        with shown(call.err) as show:
            pruned = asyncio.run(_prune(settings, ages, show, dry_run=dry_run))
    except StoreError as exc:
        raise Failure(neutralise(str(exc))) from exc
    for (workflow, state), count in sorted(pruned.items()):
        call.out.line(neutralise(f"{workflow}, {state}: {count:,}"))
    call.out.line(f"{'would delete' if dry_run else 'deleted'} {pruned.total():,} finished jobs")
    return EXIT_OK


def _ages(settings: Settings) -> MaxAges:
    if not settings.text("older-than"):
        raise UsageFailure("wfx prune needs --older-than, for instance --older-than 90d")
    age = parse_age(settings.text("older-than"))
    names = [*settings.items("group"), *settings.items("state")]
    for name in ("group", "state"):
        if settings.origin(name).kind != "default" and not settings.items(name):
            raise UsageFailure(f"--{name} is empty, which would be no condition")
    if not age:
        raise UsageFailure("--older-than must be more than 0")
    return MaxAges(0, dict.fromkeys(names, age)) if names else MaxAges(age)


async def _prune(settings: Settings, ages: MaxAges, show: _Show, *, dry_run: bool) -> _Pruned:
    storage = StorageSettings(
        pooler=settings.flag("postgres-pooler"),
        listen_dsn=settings.text("postgres-listen-dsn"),
        may_lose_commits=settings.flag("postgres-may-lose-commits"),
        sealing=sealing_for(settings),
    )
    try:
        store = await open_store(settings.text("storage"), settings.text("storage-opt"), storage)
    except StoreUnusable as exc:
        told = f"{exc}; a server deletes old jobs by itself with --jobs-closed-max-age"
        raise StoreUnusable(told) from exc
    try:
        await _require_known(store, ages)
        pruned = _Pruned()
        async for found in _deleted(store, ages, dry_run=dry_run):
            pruned += found
            show("jobs", pruned.total(), 0)
        while not dry_run and await store.run_chores(AT_ONCE) == AT_ONCE:
            pass
        return pruned
    finally:
        await store.close()


async def _deleted(store: Store, ages: MaxAges, *, dry_run: bool) -> AsyncIterator[_Pruned]:
    """Delete what is old at this moment, piece by piece, and tell how many jobs of each state that were."""
    old_jobs, now = OldJobs(store), present()
    while (rows := await old_jobs.step(ages, now)) is not None:
        deleted = rows if dry_run else await delete_jobs(store, rows, _CAUSE)
        yield _Pruned((row.workflow, row.state) for row in deleted)


async def _require_known(store: Store, ages: MaxAges) -> None:
    """Raise Failure for a name that no finished state and no group with one has: it may be misspelled."""
    unknown = set(ages.named)
    async for workflow in _workflows(store):
        finished = [state for state in workflow.positions if is_finished(workflow, state)]
        unknown.difference_update(finished, map(workflow.group_of, finished))
        if not unknown:
            return
    if unknown:
        names = ", ".join(sorted(unknown))
        raise Failure(neutralise(f"no workflow has a finished state, or a group with one, with this name: {names}"))


async def _workflows(store: Store) -> AsyncIterator[Workflow]:
    page = await store.query_workflows(Paging(limit=0), _ROOM)
    while True:
        for workflow in page.items:
            yield workflow
        if page.rest is None:
            return
        page = await store.read_on(page.rest, max(_ROOM, page.rest.next_size))
