"""Parent of worker processes: opens the sockets, keeps a worker on each, and tells them and systemd what happens."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from wfx.commandline.config_files import ConfigFiles
from wfx.commandline.options import Value
from wfx.config.live_reload import LoadedConfig
from wfx.signals import ControlEvents, signals_handled
from wfx.systemd import ServiceManager
from wfx.version import COMMIT, VERSION
from wfx.workers.handover import Handover, Socket
from wfx.workers.main_launch import MainLaunch
from wfx.workers.parent_channel import ABORT, RELOAD, STOP
from wfx.workers.process import LONG_ENOUGH, WorkerProcess, channel_pair, reason_of_end
from wfx.workers.sockets import WorkerSockets, sockets_of_workers

log = logging.getLogger("wfx")

_LONGEST_PAUSE = 10.0
"""Seconds until a worker is started again that ends again and again. Connections to its sockets wait meanwhile."""


class WorkerNotStarted(Exception):
    """A worker could not start with the service; it has said why."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What workers need of the command line, to read the configuration again."""

    given: Mapping[str, Value]
    """What flags say."""
    files: ConfigFiles


async def run(loaded: LoadedConfig, command_line: CommandLine) -> None:
    """Keep workers serving until SIGINT or SIGTERM, then stop them; on a second signal, without waiting for anybody.

    Raises CannotUseTls, PassedSocketsUnusable, CannotListen or WorkerNotStarted when it cannot start.
    """
    config, control = loaded.config, ControlEvents()
    with signals_handled(control), ExitStack() as stack:
        launch = MainLaunch(config)
        stack.callback(launch.manager.close)
        listeners = launch.open_listeners()
        for listener in listeners:
            stack.callback(listener.close)
        fields = {"version": VERSION, "commit": COMMIT, "workers": config.workers}
        log.info("wfx starts worker processes", extra={"fields": fields})
        sockets = sockets_of_workers(listeners, config.workers, passed=launch.has_passed_sockets)
        await Parent(loaded, command_line, sockets, launch.manager, control).run()
    log.info("all worker processes have ended")


class Parent:
    """The workers that there are, and those that shall be."""

    def __init__(
        self,
        loaded: LoadedConfig,
        command_line: CommandLine,
        sockets: Sequence[WorkerSockets],
        manager: ServiceManager,
        control: ControlEvents,
    ) -> None:
        """Start one worker for each of the sockets."""
        self._loaded = loaded
        self._command_line = command_line
        self._sockets = dict(enumerate(sockets, 1))
        self._manager = manager
        self._control = control
        self._workers: dict[int, WorkerProcess] = {}
        self._first_ready = asyncio.Event()
        self._waiting = set(self._sockets)
        """Workers that have not been ready yet since the service was started."""
        self._announced = False
        """Whether systemd was told that the service serves."""
        self._reloading = False
        self._failed: str | None = None
        """Why the service could not start."""

    async def run(self) -> None:
        """Keep them until the service shall stop. Raises WorkerNotStarted."""
        tasks = [
            asyncio.create_task(each)
            for each in (self._stop(), self._abort(), self._reload(), self._manager.keep_alive())
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for number in self._sockets:
                    group.create_task(self._keep(number))
                    await self._first_ready.wait()  # it makes the tables, and says what is wrong, if anything, once
        finally:
            for task in tasks:
                task.cancel()
        if self._failed is not None:
            raise WorkerNotStarted(self._failed)

    async def _keep(self, number: int) -> None:
        """Keep one worker: when it ends, start it again, later if it ends again and again."""
        ends = 0
        while not self._control.stop.is_set():
            beats, reason = await self._run_once(number)
            if self._control.stop.is_set():
                return
            if self._waiting:
                self._failed = f"worker {number} did not start ({reason})"
                self._control.stop.set()
                return
            ends = 0 if beats >= LONG_ENOUGH else ends + 1
            pause = min(2.0 ** (ends - 2), _LONGEST_PAUSE) if ends > 1 else 0.0
            fields = {"worker": number, "reason": reason, "pause": pause}
            log.error("a worker has ended, and is started again", extra={"fields": fields})
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._control.stop.wait()

    async def _run_once(self, number: int) -> tuple[int, str]:
        """Start a worker and wait for its end; returns how many signs of life it gave, and how it ended."""
        ours, theirs = channel_pair()
        with theirs:
            try:
                worker = await WorkerProcess.start(self._handover(number, theirs.fileno()), ours, self._note_change)
            except OSError as exc:
                ours.close()
                return 0, exc.strerror or str(exc)
        self._workers[number] = worker
        if self._control.stop.is_set():  # meanwhile
            worker.tell(STOP)
        try:
            status = await worker.ended()
        finally:
            del self._workers[number]
        self._note_change()
        return worker.beats, reason_of_end(status)

    def _handover(self, number: int, channel: int) -> Handover:
        sockets = self._sockets[number]
        return Handover(
            number=number,
            parent=os.getpid(),
            loaded=self._loaded,
            given=self._command_line.given,
            files=self._command_line.files,
            channel=channel,
            sockets=[Socket(each.side, each.scheme, each.socket.fileno()) for each in sockets.listeners],
            asked=sockets.asked.fileno(),
            siblings={
                other: each.asked.getsockname().decode() for other, each in self._sockets.items() if other != number
            },
        )

    def _note_change(self) -> None:
        """Tell systemd when all have become ready, and when a reload begins, and is over in all."""
        self._waiting -= {number for number, worker in self._workers.items() if worker.served}
        if len(self._waiting) < len(self._sockets):
            self._first_ready.set()
        if self._waiting or self._control.stop.is_set():
            return
        reloading = any(worker.reloading for worker in self._workers.values())
        if not self._announced:
            addresses = ", ".join(listener.address for listener in self._sockets[1].listeners)
            self._manager.ready(f"{len(self._sockets)} workers serve on {addresses}")
        elif reloading and not self._reloading:
            self._manager.reloading()
        elif self._reloading and not reloading:
            self._manager.reloaded()
        self._announced, self._reloading = True, reloading

    async def _reload(self) -> None:
        while True:
            await self._control.reload.wait()
            self._control.reload.clear()
            self._tell(RELOAD)

    async def _stop(self) -> None:
        """Let go of the sockets, so that nobody listens any more once the workers do not, and have them stop."""
        await self._control.stop.wait()
        log.info("stopping all workers")
        self._manager.stopping()
        self._first_ready.set()
        for each in self._sockets.values():
            for opened in (each.asked, *(listener.socket for listener in each.listeners)):
                opened.close()
        self._tell(STOP)

    async def _abort(self) -> None:
        await self._control.at_once.wait()
        self._tell(ABORT)

    def _tell(self, word: bytes) -> None:
        for worker in self._workers.values():
            worker.tell(word)
