"""How long to wait: between attempts, and between polls."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """Time before the next attempt: half a second, and then half as long again each time."""

    initial: float = 0.5
    longest: float = 60.0
    """A minute: whoever waits longer has most likely been forgotten."""
    _next: float = field(default=0.0, init=False)

    def succeeded(self) -> None:
        """Begin anew."""
        self._next = 0.0

    def wait(self) -> float:
        """Return the next time to wait, in seconds, spread by half so that not all come back at once."""
        current = min(self._next or self.initial, self.longest)
        self._next = min(current * 1.5, self.longest)
        return current * _random(0.5, 1.5)


@dataclass(frozen=True, slots=True)
class Interval:
    """Time between two polls."""

    seconds: float = 45.0
    jitter: float = 0.1
    """The part by which it is made longer or shorter, at random, so that a fleet does not come all at once."""

    def __post_init__(self) -> None:
        """Check it. Raises ValueError."""
        if not (self.seconds >= 0 and 0 <= self.jitter <= 1):
            raise ValueError("an interval takes no less than nothing, and its jitter is a part from 0 to 1")

    def wait(self) -> float:
        """Return the next time to wait, in seconds."""
        return self.seconds * _random(1 - self.jitter, 1 + self.jitter)


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is made again, where that is safe."""

    attempts: int | None = 5
    """How often it is sent at most; None is for ever."""
    initial: float = 0.5
    longest: float = 60.0
    """Seconds of a pause at most; a server that asks for longer ones (``Retry-After``) is not asked again."""

    def __post_init__(self) -> None:
        """Check them. Raises ValueError."""
        if self.attempts is not None and self.attempts < 1:
            raise ValueError("a request is sent once at least; attempts=None is for ever")
        if not (self.initial >= 0 and self.longest >= 0):
            raise ValueError("pauses take no less than nothing")

    def backoff(self) -> Backoff:
        """Return a fresh one."""
        return Backoff(self.initial, self.longest)


ONCE = Retries(attempts=1)
"""No retries."""


def _random(least: float, most: float) -> float:
    import random  # takes longer to import than most programs that never wait

    return random.uniform(least, most)  # noqa: S311  # no secret
