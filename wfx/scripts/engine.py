"""Script engine: what the service calls.

    engine = ScriptEngine(ScriptLimits(), processes=2)
    await engine.start()                    # compiles the engine for this machine: 1 to 2 s; raises ScriptsUnavailable
    verdict = await engine.check(source)    # a script, or what is wrong and where
    result = await engine.run(RunRequest(source, b'{"amount":3}'))
    await engine.close()                    # no process is left

A run never raises for what a script does, nor for a worker that dies: that is in ``RunResult.outcome``.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import math
import os
import signal
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from wfx.sandbox.errors import Limit, LimitReached, SandboxError, Unavailable
from wfx.sandbox.fair_queue import FairQueue
from wfx.sandbox.frames import Frame
from wfx.sandbox.pool import Pool
from wfx.sandbox.process import WorkerLimits, WorkerProcess, WorkerProgram, WorkerRequest
from wfx.scripts import engine_file, faults, preparation
from wfx.scripts.errors import ScriptsBusy, ScriptsUnavailable
from wfx.scripts.figures import PoolFigures, ScriptFigures
from wfx.scripts.limits import MIB, ScriptLimits
from wfx.scripts.protocol import ANALYSE, COMPILE, COMPILED, PREPARE, RUN
from wfx.scripts.runs import UNTOLD, Finding, Outcome, Purpose, RunRequest, RunResult, Verdict

_WORKER_MEMORY = 192 * MIB
"""Bytes that a worker may take beside the values of the script: the interpreter, the engine, inputs and results."""
_RESERVED = 9 * 1024 * MIB
"""Bytes of address space: of two instances of the engine, see ``wasm_engine.py``."""
_LATE = 0.5
"""Seconds after which a worker that does not end a run itself, since the engine does not ask, is killed."""
_PATIENCE = 86400.0
"""Seconds that a run which was admitted waits for a worker; its caller gives up long before."""


@dataclass(frozen=True, slots=True)
class Running:
    """A run that has begun, for those who look on."""

    number: int
    name: str
    began: float
    """By the event loop's clock."""
    purpose: Purpose


@dataclass(slots=True)
class _Run:
    """A run, as those see it who may end it."""

    name: str
    asked: float
    number: int = 0
    purpose: Purpose = UNTOLD
    running: Running | None = None
    worker: WorkerProcess | None = None
    ended: bool = False


class ScriptEngine:
    """The workers and the queue in front of them. Belongs to one event loop."""

    def __init__(self, limits: ScriptLimits, processes: int, first: int = 1) -> None:
        """Start nothing yet; at most ``processes`` workers will run at a time. Runs are counted from ``first`` on."""
        self.figures = ScriptFigures()
        self._limits = limits
        self._processes = processes
        self._admission = asyncio.Semaphore(limits.admitted)
        self._bytecodes: OrderedDict[bytes, bytes] = OrderedDict()
        """By the hash of the source; the one that was used last is the last."""
        self._asking = 0
        """How many wait to be admitted."""
        self._runs: dict[int, _Run] = {}
        self._numbers = itertools.count(first)
        self._pool: Pool | None = None

    async def start(self) -> None:
        """Compile the engine for this machine, in a child process. Raises ScriptsUnavailable."""
        if reason := engine_file.missing():
            raise ScriptsUnavailable(reason)
        self._pool = self._new_pool(await preparation.compiled_engine())

    async def check(self, source: str) -> Verdict:
        """Compile a source, in a worker. Raises Unavailable where no worker can, of which ScriptsBusy is one kind."""
        text = source.encode(errors="surrogatepass")
        if (verdict := self._known(source, text)) is not None:
            return verdict
        run = _Run("", self._now())
        try:
            async with self._admitted():
                return await self._compiled(source, text, run)
        except LimitReached as error:
            outcome = _outcome_of(error)
            if outcome is Outcome.FAILED:
                raise Unavailable(_reason(error)) from error
            return faults.verdict(outcome, self._limits)

    async def findings(self, source: str) -> list[Finding]:
        """Analyse a source that is a script, in a worker.

        Raises LimitReached for a source that takes too much, and Unavailable, of which ScriptsBusy is one kind.
        """
        text = source.encode(errors="replace")
        async with self._admitted():
            try:
                answer = await self._ask(WorkerRequest(ANALYSE, b"", (text,), len(text)), _Run("", self._now()))
            except LimitReached as error:
                if error.status == -signal.SIGKILL:  # from outside: a parser that takes too much is ended otherwise
                    raise Unavailable(_reason(error)) from error
                raise
        return faults.findings_of(answer)

    async def run(self, request: RunRequest, name: str = "", purpose: Purpose = UNTOLD) -> RunResult:
        """Run a script in a worker; ``name`` is whose turn it is among others, and stands in :attr:`running`.

        A caller that is cancelled returns at once, and the run is ended.
        """
        run = _Run(name, self._now(), next(self._numbers), purpose)
        try:
            async with self._admitted():
                self._runs[run.number] = run
                result = await self._run(request, run)
        except ScriptsBusy:
            result = faults.result(Outcome.BUSY, self._limits, waited=self._waited(run))
        finally:
            self._runs.pop(run.number, None)
        self.figures.note(result, None if run.running is None else self._now() - run.running.began)
        return result

    @property
    def running(self) -> list[Running]:
        """The runs that have begun and not ended, the oldest first."""
        return [run.running for run in self._runs.values() if run.running is not None]

    def end(self, number: int) -> bool:
        """End a run, which gets Outcome.ENDED; tell whether there was one with this number."""
        run = self._runs.get(number)
        if run is None:
            return False
        run.ended = True
        if run.worker is not None:
            run.worker.kill()
        return True

    @property
    def pool_figures(self) -> PoolFigures:
        """State of the pool, and the number of compiled sources, now."""
        return PoolFigures(
            size=self._processes,
            busy=0 if self._pool is None else self._pool.running,
            waiting=self._asking + (0 if self._pool is None else self._pool.waiting),
            replaced=0 if self._pool is None else self._pool.replaced,
            compiled=len(self._bytecodes),
        )

    @property
    def process_ids(self) -> list[int]:
        """The system's numbers of the workers' processes."""
        return self._pool.process_ids if self._pool is not None else []

    async def close(self) -> None:
        """End all; runs that wait or run get Outcome.FAILED. Returns when every process is gone."""
        if self._pool is not None:
            await self._pool.close()

    def _new_pool(self, module: bytes) -> Pool:
        limits = self._limits
        head = json.dumps([limits.memory, limits.seconds, limits.operations, limits.output]).encode()
        program = WorkerProgram(
            "wfx.scripts.worker",
            engine_file.PACKAGES,
            deadline=limits.seconds + _LATE,
            preparation=WorkerRequest(PREPARE, head, (module,), len(module)),
            only_listed_calls=True,
        )
        room = WorkerLimits(_WORKER_MEMORY + limits.memory, limits.output + MIB, _RESERVED)
        queue = FairQueue(self._processes, 2**62)
        return Pool(program, room, queue, deadline=lambda _: limits.seconds + _LATE, patience=_PATIENCE)

    @asynccontextmanager
    async def _admitted(self) -> AsyncIterator[None]:
        """Be one of those that use a worker or wait for one, whatever for. Raises ScriptsBusy."""
        if self._admission.locked():
            await self._wait()
        else:
            await self._admission.acquire()  # at once
        try:
            yield
        finally:
            self._admission.release()

    async def _wait(self) -> None:
        self._asking += 1
        try:
            async with asyncio.timeout(self._limits.patience):
                await self._admission.acquire()
        except TimeoutError as exc:
            raise ScriptsBusy(faults.busy(self._limits)) from exc
        finally:
            self._asking -= 1

    async def _run(self, request: RunRequest, run: _Run) -> RunResult:
        try:
            verdict = await self._verdict(request.source, run)
            if verdict.fault is not None:
                return RunResult(verdict.outcome, fault=verdict.fault)
            answer = await self._ask(_run_of(request, verdict.bytecode), run)
        except SandboxError as error:
            outcome = Outcome.ENDED if run.ended else _outcome_of(error)
            return faults.result(outcome, self._limits, _reason(error), waited=self._waited(run))
        return faults.result_of(request.source, answer, self._limits, waited=self._waited(run))

    async def _verdict(self, source: str, run: _Run) -> Verdict:
        text = source.encode(errors="surrogatepass")
        return self._known(source, text) or await self._compiled(source, text, run)

    def _known(self, source: str, text: bytes) -> Verdict | None:
        """Return the verdict on a source if it needs no worker."""
        key = hashlib.sha256(text).digest()
        if bytecode := self._bytecodes.get(key):
            self._bytecodes.move_to_end(key)
            self.figures.hits += 1
            return Verdict(None, Outcome.DONE, bytecode)
        fault = faults.of_text(source, text, self._limits)
        return Verdict(fault, Outcome.SYNTAX) if fault is not None else None

    async def _compiled(self, source: str, text: bytes, run: _Run) -> Verdict:
        self.figures.misses += 1
        answer = await self._ask(WorkerRequest(COMPILE, b"", (text,), len(text)), run)
        if answer.kind != COMPILED:
            return faults.verdict_of(source, answer, self._limits)
        self._bytecodes[hashlib.sha256(text).digest()] = answer.body
        while len(self._bytecodes) > max(1, self._limits.compiled):
            self._bytecodes.popitem(last=False)
        return Verdict(None, Outcome.DONE, answer.body)

    async def _ask(self, request: WorkerRequest, run: _Run) -> Frame:
        """Have a worker do something, which can be ended meanwhile."""
        assert self._pool is not None, "start() was not called"

        def begun(worker: WorkerProcess) -> None:
            run.worker, run.running = worker, Running(run.number, run.name, self._now(), run.purpose)
            if run.ended:
                worker.kill()

        try:
            return await self._pool.ask(request, run.name, begun=begun)
        finally:
            run.worker = None

    def _waited(self, run: _Run) -> float:
        return (run.running.began if run.running is not None else self._now()) - run.asked

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def usual_processes() -> int:
    """Return how many workers a service has: one more than processors, so that none idles while a run is begun."""
    return (os.cpu_count() or 1) + 1


def _run_of(request: RunRequest, bytecode: bytes) -> WorkerRequest:
    digest = hashlib.blake2b(str(request.seed).encode(), digest_size=12).digest()
    seed = [int.from_bytes(digest[at : at + 4], "little") for at in (0, 4, 8)]
    text = b'{"payload":%b,"next":%b,"nflow_data":%b,"seed":%b}' % (
        request.payload, json.dumps(request.next).encode(), request.nflow_data, json.dumps(seed).encode(),
    )  # fmt: skip
    head = json.dumps([len(bytecode), math.floor(request.time * 1000)]).encode()
    return WorkerRequest(RUN, head, (bytecode, text), len(bytecode) + len(text))


def _outcome_of(error: SandboxError) -> Outcome:
    """Tell whose fault it was: a process that a signal ended did not end for the script's memory, which is bounded."""
    if isinstance(error, LimitReached) and (error.status is None or error.which is Limit.TIME):
        return Outcome(error.which)
    return Outcome.FAILED


def _reason(error: SandboxError) -> str:
    if isinstance(error, LimitReached) and error.status is not None:
        return f"the worker process ended by the signal {-error.status}: run the script again"
    return str(error)
