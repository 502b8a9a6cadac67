"""How far a command for many jobs came, as a text that ``--resume`` takes."""

from __future__ import annotations

import json
import re
from dataclasses import astuple, dataclass, replace
from typing import Any

from wfx.commandline.failures import UsageFailure
from wfxctl.documents import items, member, text

_LATEST = 253402300799.0
"""The end of the year 9999."""
_MOST = 2**53
_CURSOR = re.compile(r"[0-9A-Za-z_-]{0,200}")
_NAME = re.compile(r"[0-9A-Za-z_.-]{0,64}")


@dataclass(frozen=True, slots=True)
class BulkProgress:
    """Where the next request begins, and all that must be the same when it is sent again."""

    digest: str
    """Of what the command is asked to do."""
    key: str
    """What the idempotency keys of all its requests begin with."""
    log: str
    """The id of the log of the server's database."""
    moment: float
    """When it was first given: what ages count back from."""
    chunk: int
    """How many requests were answered."""
    done: int
    failed: int
    rest: int
    after: str
    """The cursor of the selection."""

    @property
    def total(self) -> int:
        """How many jobs it is about."""
        return self.done + self.failed + self.rest

    def behind(self, answer: Any, *, selected: bool) -> BulkProgress:
        """Return the progress behind a request with this answer, which may have been about jobs of a selection."""
        failed = sum(text(item, "outcome") == "failed" for item in items(answer, "items"))
        looked_at = len(items(answer, "items"))
        rest = member(answer, "rest") if selected else self.rest - looked_at
        return replace(
            self,
            chunk=self.chunk + 1,
            done=self.done + looked_at - failed,
            failed=self.failed + failed,
            rest=max(0, int(rest)) if isinstance(rest, float | int) and looked_at else 0,
            after=text(answer, "next"),
        )

    @property
    def token(self) -> str:
        """The text, with a sum that tells whether it is whole."""
        from base64 import urlsafe_b64encode  # few commands need it

        content = json.dumps(astuple(self)).encode()
        return urlsafe_b64encode(_sum(content) + content).decode().rstrip("=")

    @property
    def is_sound(self) -> bool:
        """Whether a command can have come so far."""
        counts = (self.chunk, self.done, self.failed, self.rest)
        return (
            all(type(count) is int and 0 <= count < _MOST for count in counts)
            and type(self.moment) is float
            and 0.0 <= self.moment <= _LATEST
            and all(type(name) is str and _NAME.fullmatch(name) for name in (self.digest, self.key, self.log))
            and type(self.after) is str
            and _CURSOR.fullmatch(self.after) is not None
        )


def read(token: str) -> BulkProgress:
    """Read the text. Raises UsageFailure for what is none, or not whole."""
    from base64 import urlsafe_b64decode  # see above

    try:
        packed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        reached = BulkProgress(*json.loads(packed[_SUM:]))
    except (ValueError, TypeError, RecursionError):
        reached = None
    if reached is None or packed[:_SUM] != _sum(packed[_SUM:]) or not reached.is_sound:
        raise UsageFailure("--resume takes what a command that broke off printed, whole and as it is")
    return reached


_SUM = 4


def _sum(content: bytes) -> bytes:
    from zlib import crc32  # see above

    return crc32(content).to_bytes(_SUM)
