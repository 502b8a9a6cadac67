"""Client of the body workers: has large request bodies decoded and checked in worker processes.

As Python values a body takes up to twenty-five times its bytes, and decoding holds the interpreter for seconds without
interruption (see ``spec/decisions/0026-large-bodies-in-processes.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import orjson

from wfx.api.bad_request import BadRequest, BodyFault, BodyInvalid, BodyUnreadable, DocumentTooLarge, TryLater
from wfx.api.body_worker import CHECK, INVALID, MAKE, REFUSED
from wfx.api.inputs import INPUTS
from wfx.api.request_schemas import body_schema
from wfx.domain import errors
from wfx.domain.errors import WfxError
from wfx.sandbox.errors import Limit, LimitReached, Unavailable
from wfx.sandbox.fair_queue import FairQueue
from wfx.sandbox.frames import Frame
from wfx.sandbox.pool import Pool
from wfx.sandbox.process import WorkerLimits, WorkerProgram, WorkerRequest

_PROGRAM = WorkerProgram("wfx.api.body_worker", ("orjson", "jsonschema_rs"))
_WORKERS = 2
_COSTLY = 1024 * 1024
"""Bytes above which a body may take more than a second; one of the workers is kept free of such bodies."""
_PATIENCE = 30.0
"""Seconds that a body waits for its turn."""
_MEMORY, _MEMORY_PER_BYTE = 512 * 1024 * 1024, 256
"""Bytes of address space of a worker: for itself, and for each byte of the largest body. It uses a fifth of that: the
JSON decoder reserves the most that it could need."""
_STORED_PER_BYTE = 2
"""Bytes of a document as it is stored for each byte of the largest body. ``<`` takes six, as ``\\u003c``."""
_SLACK = 1024 * 1024


class LargeBodies:
    """The workers that read large bodies. Use as a context manager, on one event loop."""

    def __init__(self, max_body: int, *, workers: int = _WORKERS, patience: float = _PATIENCE) -> None:
        """Read bodies of at most ``max_body`` bytes; the first one starts a worker."""
        self.queue = FairQueue(workers, _COSTLY)
        self._most_stored = _SLACK + _STORED_PER_BYTE * max_body
        limits = WorkerLimits(_MEMORY + _MEMORY_PER_BYTE * max_body, self._most_stored)
        self._pool = Pool(_PROGRAM, limits, self.queue, deadline=_deadline, patience=patience)
        self._heads: dict[str, bytes] = {}

    @property
    def process_ids(self) -> list[int]:
        """The system's numbers of the workers' processes."""
        return self._pool.process_ids

    async def __aenter__(self) -> Self:
        """Do nothing: workers start when they are first needed."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End all workers."""
        await self._pool.close()

    async def read(
        self, operation: str, pieces: Sequence[bytes], size: int, client: str, *, only_check: bool
    ) -> tuple[Any, int]:
        """Return the input of an operation, made from the pieces of a body, and the bytes of its document.

        The input is None if the body is only to be checked. ``client`` is the address whose share of the workers is
        used. Raises BadRequest (or a kind of it) and WfxError.
        """
        request = WorkerRequest(CHECK if only_check else MAKE, self._head(operation), pieces, size)
        try:
            answer = await self._pool.ask(request, client)
        except LimitReached as exc:
            if exc.which == Limit.TIME:
                raise TryLater("reading the body took too long") from exc
            if exc.which == Limit.OUTPUT:
                raise DocumentTooLarge(self._most_stored) from exc
            raise BodyUnreadable from exc
        except Unavailable as exc:
            raise TryLater(f"the body could not be read now: {exc}") from exc
        if only_check and answer.kind not in {INVALID, REFUSED}:
            return None, 0
        return _unpacked(operation, answer), len(answer.body)

    def _head(self, operation: str) -> bytes:
        if operation not in self._heads:
            self._heads[operation] = b"%b %b" % (operation.encode(), orjson.dumps(body_schema(operation)))
        return self._heads[operation]


def _deadline(size: int) -> float:
    """Return the seconds for a body of this size: many times what it needs, so that only a hanging worker is ended."""
    return 10.0 + size / 100_000


def _unpacked(operation: str, answer: Frame) -> Any:
    content = orjson.loads(answer.head)
    if answer.kind == INVALID:
        raise BadRequest(content) if isinstance(content, str) else BodyInvalid(BodyFault(*each) for each in content)
    if answer.kind == REFUSED:
        raise _rebuilt(*content)
    return INPUTS[operation].unpack(content, answer.body)


def _rebuilt(kind: str, arguments: Sequence[Any], attributes: dict[str, Any]) -> WfxError:
    """Rebuild an error of the domain that was raised in a worker."""
    cls: type[WfxError] = getattr(errors, kind)
    error = cls.__new__(cls, *arguments)
    vars(error).update(attributes)
    return error
