"""Write operations that run alone: workflows, pruning, chores, consumers, leases."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from wfx.domain.errors import WorkflowInUse, WorkflowNotFound, WorkflowNotUnique
from wfx.domain.workflow import Workflow
from wfx.store.operations import (
    CreateWorkflow,
    DeleteWorkflow,
    EndLeases,
    ExclusiveOperation,
    OpenConsumer,
    PruneLog,
    RunChores,
    TakeLease,
)
from wfx.store.protocol import Consumer, Lease
from wfx.store.sqlite import consumers
from wfx.store.sqlite.connection import transaction
from wfx.store.sqlite.rows import Position, place_rows
from wfx.store.sqlite.statements import SQL, for_rows
from wfx.store.sqlite.workflow_cache import load_named, read

Outcome = Workflow | Consumer | Lease | int | None


def perform(
    connection: sqlite3.Connection, act: ExclusiveOperation, position: Position, now: int
) -> tuple[Outcome, Position]:
    """Do the act; returns its result and the position after it. What raises has changed nothing."""
    with transaction(connection):
        match act:
            case CreateWorkflow():
                return _create_workflow(connection, act), position
            case DeleteWorkflow():
                _delete_workflow(connection, act, position)
                return None, position
            case PruneLog():
                return _prune_log(connection, act, position, now)
            case RunChores():
                return _sweep_histories(connection, act.at_most), position
            case OpenConsumer():
                return consumers.open_one(connection, act.name, position.head), position
            case TakeLease() | EndLeases():
                return _lease(connection, act, now), position


def _create_workflow(connection: sqlite3.Connection, act: CreateWorkflow) -> Workflow:
    name, document = act.workflow.name, act.workflow.encoded.decode()
    if load_named(connection, [name]):
        raise WorkflowNotUnique(name)
    number = connection.execute(SQL["insert_workflow"], (name, document)).lastrowid
    assert number is not None
    workflow = read(number, document)
    for_rows(connection, "insert_places", place_rows(workflow))
    return workflow


def _delete_workflow(connection: sqlite3.Connection, act: DeleteWorkflow, position: Position) -> None:
    present = load_named(connection, [act.name])
    if not present:
        raise WorkflowNotFound(act.name)
    number = present[0].number
    if connection.execute(SQL["workflow_in_use"], (number,)).fetchone()[0]:
        raise WorkflowInUse(act.name)
    connection.execute(SQL["delete_places"], (number,))
    connection.execute(SQL["hide_workflow"], (position.head, number))


def _prune_log(connection: sqlite3.Connection, act: PruneLog, position: Position, now: int) -> tuple[int, Position]:
    old = position.horizon
    last = min(old + max(act.at_most, 0), position.head)
    beyond = max(old, min(last, position.head - max(act.keep_newest, 0)))
    # Behind what the number kept allows, age decides: up to the first event that is young enough to stay. Events from
    # the future say nothing of that; they are as old as the next one that does, and stay where there is none.
    stop = connection.execute(SQL["first_event_to_keep"], (beyond + 1, last, act.older_than, now)).fetchone()
    end = stop[0] - 1 if stop else last
    told = connection.execute(SQL["next_event_until"], (end + 1, now)).fetchone() or (now,)
    if told[0] < act.older_than:
        horizon = end
    else:
        horizon = max(beyond, connection.execute(SQL["last_event_before"], (end, beyond, act.older_than)).fetchone()[0])
    if horizon > old:
        horizon = max(old, consumers.last_to_prune(connection, horizon, position.head - act.keep_for_consumers))
    if horizon > old:
        consumers.move_to_horizon(connection, horizon)
        connection.execute(SQL["prune_events"], (horizon,))
        connection.execute(SQL["set_horizon"], (horizon,))
    connection.execute(SQL["forget_workflows"], (horizon,))
    return horizon - old, replace(position, horizon=horizon)


def _lease(connection: sqlite3.Connection, act: TakeLease | EndLeases, now: int) -> Lease | None:
    if isinstance(act, TakeLease):
        return consumers.take_lease(connection, act, now)
    consumers.end_leases(connection, act.holder)
    return None


def _sweep_histories(connection: sqlite3.Connection, at_most: int) -> int:
    swept = 0
    while swept < at_most and (leftover := connection.execute(SQL["first_leftover"]).fetchone()):
        entries = connection.execute(SQL["entries_back_from"], (*leftover, at_most - swept)).fetchall()
        for_rows(connection, "delete_entries", [(number,) for number, _ in entries])
        earlier = entries[-1][1] if entries else None
        if earlier is None:
            connection.execute(SQL["drop_leftover"], leftover)
        else:
            connection.execute(SQL["move_leftover"], (earlier, *leftover))
        swept += len(entries)
    return swept
