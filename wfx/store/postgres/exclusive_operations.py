"""Write operations that run alone: workflows, pruning, chores, consumers, leases, devices, tasks, scripts.

Each is one statement, or several of which each may be done twice; so no lock is held while this server thinks.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from wfx.domain.errors import StoreUnavailable, WorkflowInUse, WorkflowNotFound, WorkflowNotUnique
from wfx.domain.finished import MOST_TOMBSTONES
from wfx.domain.job import Action, Event
from wfx.domain.json import Json, encode
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.backend import Performed
from wfx.store.operations import (
    ClaimTasks,
    CreateWorkflow,
    DeleteDevice,
    DeleteScript,
    DeleteWorkflow,
    DescribeDevice,
    DeviceOperation,
    DropTasks,
    DropTombstones,
    EndLeases,
    ExclusiveOperation,
    HastenTasks,
    NoteSightings,
    OpenBulk,
    OpenConsumer,
    PruneLog,
    PutScript,
    ReplayTask,
    RunChores,
    ScriptOperation,
    TakeLease,
    TaskOperation,
)
from wfx.store.plan import workflow_event
from wfx.store.postgres import bulk, devices, rules, scripts, tasks
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.job_summary import count_more
from wfx.store.postgres.sealed_rows import sealed_text, sealing_of
from wfx.store.postgres.statements import SQL, FencedStatements
from wfx.store.postgres.texts import require_short
from wfx.store.postgres.unfinished_import import import_of, under_way
from wfx.store.protocol import Consumer, Lease

_Held = OpenConsumer | TakeLease | EndLeases | OpenBulk
_Repeatable = PruneLog | RunChores | DropTombstones | _Held | DeviceOperation | TaskOperation | ScriptOperation


class Fence(NamedTuple):
    """What a statement says so that it is done once at most."""

    writer: UUID
    epoch: int
    batch: int


async def perform(
    plain: Plain, operation: ExclusiveOperation, now: int, fence: Fence, fenced: FencedStatements
) -> Performed | None:
    """Do the operation; None if the fence has kept it from being done."""
    match operation:
        case CreateWorkflow():
            return await _create_workflow(plain, operation, now, fence, fenced.create_workflow)
        case DeleteWorkflow():
            return await _delete_workflow(plain, operation, now, fence, fenced.delete_workflow)
        case _:
            return Performed(await _done(plain, operation, now))


async def _done(plain: Plain, operation: _Repeatable, now: int) -> Any:
    """Do what may be done once more if its answer is lost, and return its result; nothing beside an import."""
    if await import_of(plain) is not None:
        raise under_way()
    match operation:
        case PruneLog():
            return await _prune_log(plain, operation, now)
        case RunChores() | DropTombstones():
            return await _drop(plain, operation, now)
        case OpenConsumer():
            return await _open_consumer(plain, operation.name)
        case OpenBulk():
            return await bulk.open_one(plain, operation, now)
        case TakeLease() | EndLeases():
            result: Any = await _lease(plain, operation)
        case NoteSightings() | DescribeDevice() | DeleteDevice():
            result = await devices.perform(plain, operation)
        case ClaimTasks() | ReplayTask() | HastenTasks() | DropTasks():
            result = await tasks.perform(plain, operation, now)
        case PutScript() | DeleteScript():
            result = await scripts.perform(plain, operation, now)
    return result


async def performed(plain: Plain, operation: ExclusiveOperation, now: int, seq: int) -> Performed:
    """Return the answer to an operation that was done, and whose answer was lost; ``seq`` is that of its event."""
    row = await plain.fetchrow(SQL["workflow_of_event"], seq)
    if row is None:
        raise StoreUnavailable(
            f"the workflow was changed as asked, by event {seq}, which was pruned before it was read"
        )
    number, document = row
    assert isinstance(operation, CreateWorkflow | DeleteWorkflow), "others are done once more"
    workflow = Workflow.from_encoded(Json(document.encode()), number)
    if isinstance(operation, CreateWorkflow):
        return _logged(workflow, Action.CREATE, workflow, now, operation, seq)
    return _logged(None, Action.DELETE, workflow, now, operation, seq)


async def _create_workflow(
    plain: Plain, operation: CreateWorkflow, now: int, fence: Fence, sql: str
) -> Performed | None:
    asked = operation.workflow
    for text in (asked.name, *asked.positions, *(group.name for group in asked.groups or ())):
        require_short("name in a workflow", text)
    draft = workflow_event(Action.CREATE, asked, now, operation.cause)
    payload = _sealed(plain, draft.payload)
    values = (asked.name, asked.encoded.decode(), now, payload, operation.cause)
    try:
        row = await plain.fetchrow(sql, *fence, *values)
    except asyncpg.UniqueViolationError as exc:
        raise WorkflowNotUnique(asked.name) from exc
    if row is None:
        return None
    stored = Workflow.from_encoded(asked.encoded, row[1])
    return _logged(stored, Action.CREATE, stored, now, operation, row[0])


async def _delete_workflow(
    plain: Plain, operation: DeleteWorkflow, now: int, fence: Fence, sql: str
) -> Performed | None:
    name = operation.name
    if "\0" in name:
        raise WorkflowNotFound(name)
    payload = _sealed(plain, encode({"name": name}))
    try:
        row = await plain.fetchrow(sql, *fence, name, now, payload, operation.cause)
    except asyncpg.ForeignKeyViolationError as exc:
        raise WorkflowInUse(name) from exc
    if row is None:
        return None
    seq, number, document, present, _ = row
    if seq is None:
        raise WorkflowInUse(name) if present else WorkflowNotFound(name)
    return _logged(None, Action.DELETE, Workflow.from_encoded(Json(document.encode()), number), now, operation, seq)


def _sealed(plain: Plain, payload: Json) -> str:
    """Seal what the event of a workflow says, which no job owns."""
    return sealed_text(sealing_of(plain), "event.payload", "", payload.decode())


def _logged(
    result: Any, action: Action, workflow: Workflow, now: int, operation: CreateWorkflow | DeleteWorkflow, seq: int
) -> Performed:
    return Performed(result, [Event(seq, *workflow_event(action, workflow, now, operation.cause))])


async def _prune_log(plain: Plain, operation: PruneLog, now: int) -> int:
    row = await plain.fetchrow(
        SQL["horizon_to_prune_to"],
        max(operation.keep_newest, 0),
        operation.older_than,
        max(operation.at_most, 0),
        operation.keep_for_consumers,
        now,
    )
    assert row is not None
    old, new = row
    pruned = new > old and await plain.fetchval(SQL["prune"], old, new) is not None
    await plain.execute(SQL["forget_workflows"])
    return new - old if pruned else 0


async def _drop(plain: Plain, operation: RunChores | DropTombstones, now: int) -> int:
    """Drop what nobody sees any more; return how many rows that were, or as many as may be if there is more to do."""
    at_most = operation.at_most
    if isinstance(operation, DropTombstones):
        gone: int = await plain.fetchval(SQL["drop_tombstones"], max(at_most, 0), operation.older_than, MOST_TOMBSTONES)
        return gone
    dropped = await _drop_histories(plain, at_most)
    dropped += await bulk.drop_expired(plain, now, at_most - dropped)
    dropped += await rules.drop_expired(plain, now, at_most - dropped)
    return at_most if dropped < at_most and await count_more(plain) else dropped


async def _drop_histories(plain: Plain, at_most: int) -> int:
    """Drop what is left of deleted jobs' histories, one job after the other."""
    dropped = 0
    while dropped < at_most:
        count, found = await plain.fetchrow(SQL["drop_left_histories"], at_most - dropped) or (0, False)
        dropped += count
        if not found:
            break
    return dropped


async def _open_consumer(plain: Plain, name: str) -> Consumer:
    await plain.execute(SQL["create_consumer"], name)
    row = await plain.fetchrow(SQL["consumer"], name)
    if row is None:  # none is ever deleted, so an import has begun meanwhile
        raise under_way()
    return Consumer(*row)


async def _lease(plain: Plain, operation: TakeLease | EndLeases) -> Lease | None:
    if isinstance(operation, EndLeases):
        await plain.execute(SQL["end_leases"], operation.holder)
        await plain.execute(SQL["leave_bulk_requests"], operation.holder)
        return None
    row = await plain.fetchrow(SQL["take_lease"], operation.name, operation.holder, operation.ttl)
    return None if row is None else Lease(operation.name, operation.holder, row[0], Timestamp(row[1]))
