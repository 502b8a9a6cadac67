"""How far a command for many jobs came, as a text that ``--resume`` takes."""

from __future__ import annotations

import base64
import json
from dataclasses import astuple, dataclass, replace
from typing import Any

from wfx.commandline.failures import UsageFailure
from wfxctl.documents import items, member, text


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next request begins, and all that must be the same when it is sent again."""

    digest: str
    """Of what the command is asked to do."""
    key: str
    """What the idempotency keys of all its requests begin with."""
    moment: float
    """What ages count back from."""
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

    def behind(self, answer: Any, *, selected: bool) -> Place:
        """Return the place behind a request with this answer, which may have been about jobs of a selection."""
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
        """The text."""
        return base64.urlsafe_b64encode(json.dumps(astuple(self)).encode()).decode().rstrip("=")


def read(token: str) -> Place:
    """Read the text. Raises UsageFailure for what is none."""
    kinds: tuple[type | tuple[type, ...], ...] = (str, str, (int, float), int, int, int, int, str)
    try:
        values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError:
        values = None
    if (
        not isinstance(values, list)
        or len(values) != len(kinds)
        or not all(isinstance(value, kind) for value, kind in zip(values, kinds, strict=True))
    ):
        raise UsageFailure("--resume takes what a command that broke off printed, as it is")
    return Place(*values)
