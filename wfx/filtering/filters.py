"""Response filters as the API uses them: ``prepare`` before an operation, ``apply`` after it.

    program = await filters.prepare(text)                 # refuses what is no program, before anything has happened
    ...                                                   # the operation itself
    body = await filters.apply(program, document)         # the filtered answer

Programs that are provably finite run here, in microseconds, when the document is not too large; all others in a worker
process. Both give the same bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import orjson

from wfx.filtering import encoding, finite, grammar
from wfx.filtering.errors import FilterLimit, FilterSyntaxError, Limit
from wfx.filtering.finite import Leaf, Pipe
from wfx.filtering.pool import FilterLimits, FilterPool
from wfx.filtering.protocol import CHECK, FAILING, RUN, SYNTAX

MAX_PROGRAM = 8192
"""Characters. Longer programs are refused; compiling a nasty one of this size takes some 0.2 s."""

MAX_DOCUMENT = 8 * 1024 * 1024
"""Bytes. A worker reads some 10 MB a second, so that a larger document would take the time that a program has."""

IN_PROCESS = 64 * 1024
"""A finite program runs here if its bound for bytes and steps is below this: some 10 ms at the very worst."""

PATIENCE = 0.8
"""Seconds that one request waits for a worker, in ``prepare`` and ``apply`` together; less than a second, so that it is
answered within the deadline and one second even if a worker has to be started."""

_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Program:
    """A filter that passed ``prepare``."""

    text: str
    finite: Leaf | Pipe | None
    """The same program, to be run in this process; None if it may be endless."""
    failing: bool = False
    """Whether it runs into an error before its first output, whatever the document."""
    waited: float = 0.0
    """Seconds that the request already waited for a worker."""


@lru_cache(maxsize=_REMEMBERED)
def _in_process(text: str) -> Program | None:
    recognised = grammar.recognise(text)
    return None if recognised is None else Program(text, recognised)


class Filters:
    """Response filters and the worker processes that run some of them. Use as a context manager, on one event loop."""

    def __init__(
        self,
        deadline: float = 1.0,
        memory: int = 256 * 1024 * 1024,
        output: int = 10 * 1024 * 1024,
        workers: int = 2,
    ) -> None:
        """Take limits for one program: seconds, bytes of memory, bytes of output; and the most processes to run."""
        self._pool = FilterPool(FilterLimits(deadline, memory, output), workers)
        self._known: OrderedDict[str, bytes | str] = OrderedDict()

    def set_limits(self, deadline: float, memory: int, output: int) -> None:
        """Give programs that begin later these limits."""
        self._pool.set_limits(FilterLimits(deadline, memory, output))

    @property
    def kills(self) -> Mapping[str, int]:
        """How many programs were stopped in a worker, by reason; see :data:`wfx.filtering.pool.KILLS`."""
        return self._pool.kills

    @property
    def process_ids(self) -> list[int]:
        """The system's numbers of the workers' processes."""
        return self._pool.process_ids

    async def __aenter__(self) -> Self:
        """Start nothing: workers start when they are first needed."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End all worker processes."""
        await self.close()

    async def close(self) -> None:
        """End all worker processes and refuse what still runs or waits; returns when every process is gone."""
        await self._pool.close()

    async def prepare(self, text: str, client: str = "", size: int = 0) -> Program:
        """Compile a program; to be called before the operation, so that nothing has happened when it is refused.

        ``client`` is the address of whoever sent it: its share of the workers is used. ``size`` are the bytes that the
        document is going to have, as far as that is known before the operation.

        Raises FilterSyntaxError, FilterLimit (something is too long, or compiling trips a limit) or FilterUnavailable.
        """
        _check_size(size)
        if len(text) > MAX_PROGRAM:
            raise FilterLimit(Limit.PROGRAM, MAX_PROGRAM)
        if (simple := _in_process(text)) is not None:
            return simple
        verdict, waited = self._known.get(text), 0.0
        if verdict is None:
            verdict, waited = await self._check(text, client)
        self._remember(text, verdict)
        if isinstance(verdict, str):
            raise FilterSyntaxError(f"The response filter is not a jq program: {verdict}")
        return Program(text, None, verdict == FAILING, waited)

    async def _check(self, text: str, client: str) -> tuple[bytes | str, float]:
        """Have a worker compile; give the answer, or the text of a syntax error, and the seconds until one was free."""
        try:
            program = text.encode()
        except UnicodeEncodeError as exc:
            return exc.reason, 0.0
        reply = await self._pool.ask(CHECK, program, client=client, patience=PATIENCE)
        answer = reply.answer
        return answer.head.decode() if answer.kind == SYNTAX else answer.kind, reply.waited

    def _remember(self, text: str, verdict: bytes | str) -> None:
        self._known[text] = verdict
        self._known.move_to_end(text)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    async def apply(self, program: Program, document: bytes, client: str = "") -> bytes:
        """Run a program over a JSON document: one JSON text and a newline for each output.

        Raises FilterLimit when a limit is tripped, FilterUnavailable when no worker could run it.
        """
        _check_size(len(document))
        if program.failing:
            return encoding.FAILED
        if program.finite is not None and program.finite.growth * len(document) < IN_PROCESS:
            try:
                return finite.run(program.finite, document)
            except (orjson.JSONDecodeError, orjson.JSONEncodeError):
                pass  # nested too deeply for this codec, not for a worker
        patience = max(0.0, PATIENCE - program.waited)
        reply = await self._pool.ask(RUN, program.text.encode(), document, client=client, patience=patience)
        return reply.answer.body


def _check_size(size: int) -> None:
    if size > MAX_DOCUMENT:
        raise FilterLimit(Limit.DOCUMENT, MAX_DOCUMENT)
