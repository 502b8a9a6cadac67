"""ASGI middleware that limits how many requests come from one address (``--rate-limit-enabled``)."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from wfx.api.rate_limit.policy import Policy, Whose
from wfx.api.refusals import refusals_of
from wfx.api.reply import Reply
from wfx.config.tunables import Derived, Holder, Tunables
from wfx.limits.asks import Asks, Shortage
from wfx.request_context import Side


class Buckets(Protocol):
    """Where buckets are kept. Servers that share them share the limit."""

    def take(self, asks: Asks) -> Shortage | Awaitable[Shortage | None] | None:
        """Take a token of each bucket, or of none; return why none was taken, None if tokens were.

        What is awaited ends in bounded time and does not raise.
        """


class RateLimit:
    """ASGI middleware outside the plugins, and inside of cross-origin sharing, so that pages can read the answer 429.

    It answers before anything is read of a body, and before a plugin is asked.
    """

    def __init__(
        self,
        app: ASGIApp,
        side: Side,
        tunables: Holder[Tunables],
        buckets: Buckets,
        refused: Callable[[Scope], None],
        now: Callable[[], float] = time.time,
        *,
        never_limited: Sequence[str] = (),
    ) -> None:
        """Let each address use its bucket; ``refused`` is told of requests that found theirs empty.

        ``now`` is the time of day in seconds, in which clients are told when the window ends.
        ``never_limited`` are further paths that are exempt.
        """
        self._app = app
        self._policy = Derived(tunables, partial(Policy.of, side, never_limited))
        self._buckets = buckets
        self._refused = refused
        self._now = now

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass the request on, or answer 429."""
        policy = self._policy.current
        if policy is None or scope["type"] != "http":
            return self._app(scope, receive, send)
        whose = policy.whose(scope)
        if whose is None:
            return self._app(scope, receive, send)
        shortage = self._buckets.take(whose.asks)
        if shortage is None:
            return self._app(scope, receive, send)
        if isinstance(shortage, Shortage):
            return self._refusal(policy.size, whose, shortage, scope)(scope, receive, send)
        return self._later(shortage, policy.size, whose, scope, receive, send)

    async def _later(
        self, answer: Awaitable[Shortage | None], size: int, whose: Whose, scope: Scope, receive: Receive, send: Send
    ) -> None:
        shortage = await answer
        app = self._app if shortage is None else self._refusal(size, whose, shortage, scope)
        await app(scope, receive, send)

    def _refusal(self, size: int, whose: Whose, shortage: Shortage, scope: Scope) -> Reply:
        """Make the answer to a request that has found the bucket empty."""
        self._refused(scope)
        wait = shortage.milliseconds / 1000
        seconds = max(1, math.ceil(wait))
        message = f"too many requests from {whose.name}: {size} are allowed, try again in {seconds} s"
        fields = {
            b"retry-after": seconds,
            b"x-ratelimit-limit": size,
            b"x-ratelimit-remaining": 0,
            b"x-ratelimit-reset": math.ceil(self._now() + wait),
        }
        headers = [(name, b"%d" % value) for name, value in fields.items()]
        return refusals_of(scope["raw_path"]).too_many_requests(message, headers)
