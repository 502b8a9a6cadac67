"""Write operations that run alone: workflows, pruning, chores, consumers, leases, devices, tasks, scripts."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from wfx.domain.errors import WorkflowInUse, WorkflowNotFound, WorkflowNotUnique
from wfx.domain.finished import MOST_TOMBSTONES
from wfx.domain.job import Action, Event
from wfx.store.backend import Performed
from wfx.store.bulk import BulkRecord
from wfx.store.operations import (
    ClaimTasks,
    CreateWorkflow,
    DeleteDevice,
    DeleteScript,
    DeleteWorkflow,
    DescribeDevice,
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
    TakeLease,
)
from wfx.store.plan import EventDraft, workflow_event
from wfx.store.protocol import Lease
from wfx.store.sqlite import bulk, consumers, devices, rules, scripts, tasks
from wfx.store.sqlite.connection import transaction
from wfx.store.sqlite.rows import Position, event_row, workflow_state_rows
from wfx.store.sqlite.sealed_rows import sealed, sealing_of
from wfx.store.sqlite.statements import SQL, for_rows
from wfx.store.sqlite.workflow_cache import load_named, read


def perform(
    connection: sqlite3.Connection, operation: ExclusiveOperation, position: Position, now: int
) -> tuple[Performed, Position]:
    """Do the operation; returns its result and the position after it. What raises has changed nothing."""
    with transaction(connection):
        match operation:
            case CreateWorkflow():
                return _logged(_create_workflow(connection, operation, position, now), position)
            case DeleteWorkflow():
                return _logged(_delete_workflow(connection, operation, position, now), position)
            case PruneLog():
                dropped, position = _prune_log(connection, operation, position, now)
                return Performed(dropped), position
            case RunChores() | DropTombstones():
                return Performed(_drop(connection, operation, now)), position
            case OpenConsumer():
                return Performed(consumers.open_one(connection, operation.name, position.head)), position
            case OpenBulk() | TakeLease() | EndLeases():
                result: Any = _hold(connection, operation, now)
            case NoteSightings() | DescribeDevice() | DeleteDevice():
                result = devices.perform(connection, operation)
            case ClaimTasks() | ReplayTask() | HastenTasks() | DropTasks():
                result = tasks.perform(connection, operation, now)
            case PutScript() | DeleteScript():
                result = scripts.perform(connection, operation, now)
        return Performed(result), position


def _logged(performed: Performed, position: Position) -> tuple[Performed, Position]:
    return performed, position._replace(head=position.head + len(performed.events))


def _log(connection: sqlite3.Connection, seq: int, draft: EventDraft) -> Sequence[Event]:
    rows = sealed(sealing_of(connection), "insert_events", [event_row(seq, draft)])
    for_rows(connection, "insert_events", rows)
    return [Event(seq, *draft)]


def _create_workflow(
    connection: sqlite3.Connection, operation: CreateWorkflow, position: Position, now: int
) -> Performed:
    name, document = operation.workflow.name, operation.workflow.encoded.decode()
    if load_named(connection, [name]):
        raise WorkflowNotUnique(name)
    seq = position.head + 1
    number = connection.execute(SQL["insert_workflow"], (name, document, seq)).lastrowid
    assert number is not None
    workflow = read(number, document)
    for_rows(connection, "insert_workflow_states", workflow_state_rows(workflow))
    return Performed(workflow, _log(connection, seq, workflow_event(Action.CREATE, workflow, now, operation.cause)))


def _delete_workflow(
    connection: sqlite3.Connection, operation: DeleteWorkflow, position: Position, now: int
) -> Performed:
    present = load_named(connection, [operation.name])
    if not present:
        raise WorkflowNotFound(operation.name)
    seq, number = position.head + 1, present[0].number
    if connection.execute(SQL["workflow_in_use"], (number,)).fetchone()[0]:
        raise WorkflowInUse(operation.name)
    connection.execute(SQL["delete_workflow_states"], (number,))
    connection.execute(SQL["hide_workflow"], (seq, number))
    return Performed(None, _log(connection, seq, workflow_event(Action.DELETE, present[0], now, operation.cause)))


def _prune_log(
    connection: sqlite3.Connection, operation: PruneLog, position: Position, now: int
) -> tuple[int, Position]:
    old = position.horizon
    last = min(old + max(operation.at_most, 0), position.head)
    beyond = max(old, min(last, position.head - max(operation.keep_newest, 0)))
    # Behind what the number kept allows, age decides: up to the first event that is young enough to stay. Events from
    # the future say nothing of that; they are as old as the next one that does, and stay where there is none.
    stop = connection.execute(SQL["first_event_to_keep"], (beyond + 1, last, operation.older_than, now)).fetchone()
    end = stop[0] - 1 if stop else last
    told = connection.execute(SQL["next_event_until"], (end + 1, now)).fetchone() or (now,)
    if told[0] < operation.older_than:
        horizon = end
    else:
        horizon = max(
            beyond, connection.execute(SQL["last_event_before"], (end, beyond, operation.older_than)).fetchone()[0]
        )
    if horizon > old:
        horizon = max(old, consumers.last_to_prune(connection, horizon, position.head - operation.keep_for_consumers))
    if horizon > old:
        consumers.move_to_horizon(connection, horizon)
        connection.execute(SQL["prune_events"], (horizon,))
        connection.execute(SQL["set_horizon"], (horizon,))
    connection.execute(SQL["forget_workflows"], (horizon,))
    return horizon - old, position._replace(horizon=horizon)


def _hold(
    connection: sqlite3.Connection, operation: OpenBulk | TakeLease | EndLeases, now: int
) -> BulkRecord | Lease | None:
    if isinstance(operation, OpenBulk):
        return bulk.open_one(connection, operation, now)
    if isinstance(operation, TakeLease):
        return consumers.take_lease(connection, operation, now)
    consumers.end_leases(connection, operation.holder)
    return None


def _drop(connection: sqlite3.Connection, operation: RunChores | DropTombstones, now: int) -> int:
    """Drop what nobody sees any more; return how many rows that were."""
    if isinstance(operation, RunChores):
        swept = _sweep_histories(connection, operation.at_most)
        swept += bulk.drop_expired(connection, now, operation.at_most - swept)
        return swept + rules.drop_expired(connection, now, operation.at_most - swept)
    values = (max(operation.at_most, 0), operation.older_than, MOST_TOMBSTONES)
    return connection.execute(SQL["drop_tombstones"], values).rowcount


def _sweep_histories(connection: sqlite3.Connection, at_most: int) -> int:
    swept = 0
    while swept < at_most and (orphaned := connection.execute(SQL["first_orphaned_history"]).fetchone()):
        entries = connection.execute(SQL["entries_back_from"], (*orphaned, at_most - swept)).fetchall()
        for_rows(connection, "delete_entries", [(number,) for number, _ in entries])
        earlier = entries[-1][1] if entries else None
        if earlier is None:
            connection.execute(SQL["drop_orphaned_history"], orphaned)
        else:
            connection.execute(SQL["move_orphaned_history"], (earlier, *orphaned))
        swept += len(entries)
    return swept
