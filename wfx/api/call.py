"""One request on its way through a handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from wfx.api.answer_memory import AnswerMemory, Share
from wfx.api.side import Side
from wfx.api.turns import Turns
from wfx.events.broker import Broker
from wfx.filtering import Filters
from wfx.service.health import Health
from wfx.service.jobs import Jobs
from wfx.service.workflows import Workflows

ABORT_EXTENSION = "wfx.abort"
"""Where a server that can do so puts a function into the ASGI scope's extensions that closes the connection at once.

Without it the connection of a reader that does not read lingers, with its send buffer, until the reader goes away.
"""

P = ParamSpec("P")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Services:
    """All that handlers work with; shared by both sides."""

    jobs: Jobs
    workflows: Workflows
    health: Health
    broker: Broker
    filters: Filters
    turns: Turns
    answers: AnswerMemory
    max_body: int
    """Bytes a request body may have."""
    ping_interval: float
    """Seconds of silence before a keep-alive on an event stream."""
    grace_interval: float
    """Seconds after which a subscriber that does not read is dropped."""


@dataclass(slots=True)
class Call:
    """A request whose parameters and body were found to be as the OpenAPI document says."""

    scope: Scope
    services: Services
    side: Side
    key: str
    """The decoded path parameter: a job's id or a workflow's name; empty for paths without one."""
    query: dict[str, Any]
    """Decoded query parameters; what was left out has its default."""
    body: Any = None
    """The decoded body of operations that take one."""
    large: bool = False
    """Whether the body is so large that looking through it could keep others waiting."""

    share: Share | None = None
    """What a large answer holds of the memory for answers."""

    def own_share(self) -> Share:
        """Return the share of this request's answer, made when it is first asked for."""
        if self.share is None:
            abort: Callable[[], None] = self.scope.get("extensions", {}).get(ABORT_EXTENSION, _nothing)
            self.share = Share(self.services.answers, abort)
        return self.share

    async def work(self, function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
        """Do what takes time in proportion to the body: at once for small ones, in a thread for large ones.

        A thread cannot be stopped. So who is cancelled waits for it, and keeps its turn until then.
        """
        if not self.large:
            return function(*args, **kwargs)
        task = asyncio.create_task(asyncio.to_thread(function, *args, **kwargs))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.gather(task, return_exceptions=True)
            raise
        finally:
            del task  # its exception has this frame in its traceback: a cycle, and the body would lie in it

    @property
    def request(self) -> Request:
        """The request as Starlette shows it, for what few operations look at."""
        return Request(self.scope)


def _nothing() -> None:
    """Leave a connection to a server that cannot close it."""


Handler = Callable[[Call], Awaitable[Response]]
