"""The commands ``wfx check``, ``wfx backup`` and ``wfx rekey``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from wfx.commandline.failures import EXIT_FAILED, EXIT_OK, Failure, UsageFailure
from wfx.commandline.invocation import Invocation
from wfx.commandline.progress import shown
from wfx.commandline.terminal import neutralise
from wfx.config.encryption import sealing_for
from wfx.domain.errors import StoreError
from wfx.store.backend_kinds import backend_kind
from wfx.store.findings import Report


def run_check(call: Invocation) -> int:
    """Examine the store and print a report; 0 if it is sound. Raises Failure if it cannot be examined."""
    if call.arguments:
        raise UsageFailure(f'wfx check takes no arguments, but was given "{call.arguments[0]}"')
    try:
        with shown(call.err) as progress:
            kind = backend_kind(call.settings.text("storage"))
            report = kind.check(call.settings.text("storage-opt"), progress, sealing_for(call.settings))
    except StoreError as exc:
        raise Failure(neutralise(str(exc))) from exc
    if call.settings.text("output") == "json":
        call.out.json(json.dumps({**asdict(report), "sound": report.sound}, ensure_ascii=False))
    else:
        for line in _lines(report):
            call.out.line(line)
    return EXIT_OK if report.sound else EXIT_FAILED


def run_backup(call: Invocation) -> int:
    """Copy the store to a new file. Raises Failure."""
    if len(call.arguments) != 1:
        raise UsageFailure(f"wfx backup takes one argument, the file to write; {len(call.arguments)} were given")
    target = Path(call.arguments[0])
    try:
        kind = backend_kind(call.settings.text("storage"))
        with shown(call.err) as progress:
            restoring = kind.back_up(call.settings.text("storage-opt"), target, progress, sealing_for(call.settings))
    except StoreError as exc:
        raise Failure(neutralise(str(exc))) from exc
    call.out.line(f"wrote {target} ({target.stat().st_size:,} bytes)")
    call.out.line(f"to {restoring.replace('BACKUP', str(target))}")
    return EXIT_OK


def run_rekey(call: Invocation) -> int:
    """Bring all values into the form in which a server with these options writes them. Raises Failure."""
    if call.arguments:
        raise UsageFailure(f'wfx rekey takes no arguments, but was given "{call.arguments[0]}"')
    sealing = sealing_for(call.settings)
    if sealing is None:
        raise UsageFailure("wfx rekey needs encryption-keys or encryption-keys-file")
    try:
        kind = backend_kind(call.settings.text("storage"))
        with shown(call.err) as progress:
            done = kind.rekey(call.settings.text("storage-opt"), sealing, progress)
    except StoreError as exc:
        raise Failure(neutralise(str(exc))) from exc
    form = "plain" if sealing.writer is None else f'sealed with the key "{sealing.writer}"'
    call.out.line(f"{done.place}: rows rewritten: {done.values:,}; all values are {form} now")
    if done.remains:
        call.out.line(neutralise(done.remains))
    if done.unreadable:
        raise Failure(f"rows that cannot be opened were left as they are: {done.unreadable:,}; wfx check names them")
    return EXIT_OK


def _lines(report: Report) -> Iterator[str]:
    yield from (neutralise(f"{f.check}: {f.row}: expected {f.expected}; found {f.found}") for f in report.findings)
    for check, count in report.counts.items():
        if more := count - sum(finding.check == check for finding in report.findings):
            yield f"{check}: {more:,} more"
    for name, place in report.consumers.items():
        if lost := place["lost"]:
            yield neutralise(f"consumer '{name}' has lost events that were pruned before it had read them: {lost:,}")
    if report.sound:
        names = {"workflow": "workflows", "job": "jobs", "history": "history entries", "event": "events"}
        extent = ", ".join(f"{name}: {report.examined[table]:,}" for table, name in names.items())
        yield f"{report.place} is sound ({extent})"
    else:
        total = f"{sum(report.counts.values()):,}"
        yield f"{report.place} is NOT sound (findings: {total}); docs/operations.md tells what they mean and what to do"
