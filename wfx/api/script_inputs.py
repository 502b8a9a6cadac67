"""Input of the operation that runs a script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wfx.api.bad_request import BodyFault, BodyInvalid
from wfx.api.times import moment
from wfx.domain.json import Json, encode
from wfx.domain.timestamp import SECOND


@dataclass(frozen=True, slots=True)
class ScriptRun:
    """What a script is run with."""

    payload: Json
    next: str
    nflow_data: Json
    seed: int
    time: float
    """Seconds since 1970."""

    @property
    def head(self) -> list[Any]:
        """All but the documents, and where the second one begins."""
        return [self.next, self.seed, self.time, len(self.payload)]

    @property
    def document(self) -> bytes:
        """Both documents."""
        return self.payload + self.nflow_data

    @classmethod
    def unpack(cls, head: list[Any], document: bytes) -> ScriptRun:
        """Make it of both parts."""
        following, seed, time, end = head
        return cls(Json(document[:end]), following, Json(document[end:]), seed, time)


def run_to_make(body: dict[str, Any]) -> ScriptRun:
    """Make the input of POST /scripts/{name}/run."""
    try:
        time = moment(body["time"]) / SECOND if "time" in body else 0.0
    except ValueError as exc:
        raise BodyInvalid([BodyFault("/time", str(exc))]) from exc
    facts = encode(body.get("nflow_data", {}))
    return ScriptRun(encode(body.get("payload")), body.get("next", ""), facts, body.get("seed", 1), time)
