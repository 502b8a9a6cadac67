"""Contents of the pages under ``/debug``, as JSON documents."""

from __future__ import annotations

import asyncio
import os
import platform
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wfx.config.options import OPTIONS
from wfx.config.report import masked_value
from wfx.config.running_config import is_reloadable
from wfx.diagnostics.scripts import failed_scripts
from wfx.diagnostics.sources import DebugSources
from wfx.domain.timestamp import Timestamp, rfc3339
from wfx.server.limits import HttpLimits
from wfx.version import API_VERSION, COMMIT, VERSION

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_STARTED = time.time()
_STARTED_MONOTONIC = time.monotonic()

Page = Callable[[DebugSources], Awaitable[dict[str, Any]]]


async def info(sources: DebugSources) -> dict[str, Any]:
    """Tell what runs, where, and since when."""
    loop = type(asyncio.get_running_loop())
    return {
        "version": VERSION,
        "commit": COMMIT,
        "apiVersion": API_VERSION,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "eventLoop": f"{loop.__module__}.{loop.__qualname__}",
        "pid": os.getpid(),
        "started": rfc3339(Timestamp(int(_STARTED * 1_000_000))),
        "uptimeSeconds": round(time.monotonic() - _STARTED_MONOTONIC, 3),
        "processors": os.cpu_count(),
        "storage": sources.running_config.config.storage,
        "listeners": _listeners(sources.limits),
    }


async def config(sources: DebugSources) -> dict[str, Any]:
    """Tell the settings as they were read last, without what is secret in them."""
    settings = sources.running_config.config
    return {
        option.name: {
            "value": masked_value(option, getattr(settings, option.member)),
            "changeNeeds": "reload" if is_reloadable(option) else "restart",
        }
        for option in OPTIONS
    }


async def processes(sources: DebugSources) -> dict[str, Any]:
    """Tell what runs: the process of the service, its workers and plugins, tasks and requests."""
    tasks = Counter(_title(task) for task in asyncio.all_tasks())
    scripts = await sources.running_scripts.shown()
    return {
        "service": _process(os.getpid()),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "workers": list(_workers(sources)),
        "plugins": [
            {"side": side, "name": plugin.name, "open": plugin.open, **_process(plugin.process_id)}
            for side, chain in sources.plugins.items()
            for plugin in (*chain.plugins, *chain.observers)
        ],
        "tasks": dict(sorted(tasks.items())),
        "listeners": _listeners(sources.limits),
        "rateLimited": {str(side): each.counts["rate"] for side, each in sources.limits.app_refusals.items()},
        **scripts,
        **(await failed_scripts(sources.store) if scripts else {}),
    }


async def cache_stats(sources: DebugSources) -> dict[str, Any]:
    """Tell how the store's caches do."""
    return {each.name: _without(asdict(each), "name") for each in sources.store.caches()}


async def database_stats(sources: DebugSources) -> dict[str, Any]:
    """Tell what the database has and takes."""
    store = sources.store
    snapshot, queue = await sources.snapshots.take(), store.queue()
    database, bounds = snapshot.database, snapshot.bounds
    return {
        "storage": sources.running_config.config.storage,
        "connections": database.connections,
        "bytes": dict(database.bytes),
        "details": dict(database.details),
        "jobs": sum(snapshot.jobs.values()),
        "log": {"id": bounds.log_id, "oldest": bounds.oldest, "head": bounds.head},
        "consumers": {
            each.name: {**_without(asdict(each), "name"), "lag": snapshot.lag(each)} for each in snapshot.consumers
        },
        "writes": {"waiting": queue.waiting, "room": queue.room},
    }


PAGES: Mapping[str, Page] = {
    "/info": info,
    "/config": config,
    "/processes": processes,
    "/cache/stats": cache_stats,
    "/database/stats": database_stats,
}
"""By their paths below ``/debug``."""


def _workers(sources: DebugSources) -> Iterator[dict[str, Any]]:
    for kind, found in sources.services.worker_processes.items():
        yield from ({"kind": kind, **_process(number)} for number in found)


def _listeners(limits: HttpLimits) -> list[dict[str, Any]]:
    return [
        {"side": each.side, "address": each.address, "running": each.running, "refusals": +each.refusals.counts}
        for each in limits.listeners
    ]


def _process(number: int) -> dict[str, Any]:
    """Tell what the system knows of a process; only its number if that is gone, or the system does not tell."""
    told: dict[str, Any] = {"pid": number}
    with suppress(OSError, ValueError, IndexError):
        # The second field, in parentheses, is the name, which may have blanks in it.
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        told |= {
            "state": fields[0],
            "cpuSeconds": (int(fields[11]) + int(fields[12])) / _TICKS,
            "threads": int(fields[17]),
            "residentBytes": int(fields[21]) * _PAGE,
        }
    return told


def _title(task: asyncio.Task[Any]) -> str:
    """Return a task's name, or what it runs where it was given none."""
    name = task.get_name()
    return getattr(task.get_coro(), "__qualname__", "task") if name.startswith("Task-") else name


def _without(members: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in members.items() if key != name}
