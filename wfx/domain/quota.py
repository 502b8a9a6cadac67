"""Quotas: how often something may be done, as a bucket of tokens that is filled up after each window of time."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Quota:
    """What a full bucket holds, and how it is filled up."""

    limit: int
    """Tokens that are put back when a window has passed."""
    window: float
    """Seconds."""
    burst: int = 0
    """Tokens that a bucket holds beyond these."""
    size: int = field(init=False)
    """Tokens in a full bucket."""

    def __post_init__(self) -> None:
        """Add up."""
        object.__setattr__(self, "size", self.limit + self.burst)


@dataclass(slots=True)
class Bucket:
    """A bucket; full ones need not be stored, since they are all alike."""

    since: float
    """When the running window began: when a full bucket was first used, or tokens were put back last."""
    used: int = 0
    """Tokens that are missing."""

    def take(self, quota: Quota, now: float) -> float | None:
        """Take a token; if there is none, change nothing and return in how many seconds tokens come back."""
        if now - self.since >= quota.window:
            self._fill_up(quota, now)
        if self.used < quota.size:
            self.used += 1
            return None
        return self.since + quota.window - now

    def is_full(self, quota: Quota, now: float) -> bool:
        """Tell whether all tokens are back."""
        return self.used <= int((now - self.since) / quota.window) * quota.limit

    def _fill_up(self, quota: Quota, now: float) -> None:
        """Put back the tokens of the windows that have passed. When it is full, its next window begins now."""
        windows = max(1, int((now - self.since) / quota.window))
        self.used = max(0, self.used - windows * quota.limit)
        self.since = self.since + windows * quota.window if self.used else now
