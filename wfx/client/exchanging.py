"""One request with its answer, made again where that is safe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from wfx.client.commands import Flow, Now, Request, Response, Send, Sleep
from wfx.client.errors import KeyInUse, NotSent, Refused, TooManyRequests, Unavailable, Unreachable, refusal
from wfx.client.pauses import Retries

Result = TypeVar("Result")
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class RequestPlan(Generic[Result]):
    """A request, and how its answer is read."""

    request: Request
    read: Callable[[Response], Result]
    """Makes the result of a successful answer; raises Unreadable for what is none."""
    refused: Callable[[int, Mapping[str, str], str], Refused] = refusal
    """Makes the error of any other answer, of its status, header and body."""

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again although the server may have acted on it.

        A change for which something must be as it was would be refused then: by its own first attempt.
        """
        names = {name.lower() for name in self.request.headers}
        if self.request.method == "PUT" and "if-match" in names:
            return False
        return self.request.method in _IDEMPOTENT or "idempotency-key" in names


def exchange(plan: RequestPlan[Result], retries: Retries, deadline: float | None = None) -> Flow[Result]:
    """Send, and send again after pauses as long as that is safe and of use.

    Raises the error of the last attempt, NotSent only if no attempt before may have reached the server. Behind the
    deadline, by the clock of :class:`Now`, there is no other one.
    """
    backoff, attempt, uncertain = retries.backoff(), 1, False
    while True:
        try:
            response: Response = yield Send(plan.request)
            if response.status < 400:
                return plan.read(response)
            if uncertain and plan.request.method == "DELETE" and response.status == 404:
                return plan.read(response)  # an attempt before, of which nobody knew the outcome, has done it
            raise plan.refused(response.status, response.headers, response.text)
        except (Unreachable, Refused) as exc:
            pause = backoff.wait()
            if attempt == retries.attempts or not _may_repeat(plan, exc):
                raise _of_all_attempts(exc, uncertain) from exc.__cause__
            if isinstance(exc, Refused) and exc.retry_after is not None:
                if exc.retry_after > retries.longest:
                    raise
                pause = max(pause, exc.retry_after)
            uncertain = uncertain or not _proves_nothing_happened(exc)
            if deadline is not None:
                left = deadline - (yield Now())
                if left <= 0:
                    raise _of_all_attempts(exc, uncertain) from exc.__cause__
                pause = min(pause, left)
        attempt += 1
        yield Sleep(pause)


def _of_all_attempts(error: Unreachable | Refused, uncertain: bool) -> Unreachable | Refused:
    """Return the error of the last attempt, without the promise that nothing has happened where one before may have."""
    return Unreachable(str(error)) if uncertain and isinstance(error, NotSent) else error


def _may_repeat(plan: RequestPlan[Result], error: Unreachable | Refused) -> bool:
    """Tell whether another attempt is safe, and may have another outcome."""
    if _proves_nothing_happened(error):
        return True
    return plan.repeatable and isinstance(error, Unreachable | Unavailable | KeyInUse)


def _proves_nothing_happened(error: Unreachable | Refused) -> bool:
    if isinstance(error, NotSent | TooManyRequests):
        return True
    return isinstance(error, Unavailable) and error.status == 503 and error.retry_after is not None
