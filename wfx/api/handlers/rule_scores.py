"""Handlers that show the points that rules have given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wfx.api.reply import Reply, json_reply
from wfx.api.request import ApiRequest
from wfx.domain.json import encode
from wfx.domain.timestamp import rfc3339
from wfx.store.rule_records import Score

_PLACES = 6
"""Decimal places of points; sums of doubles have more."""


async def query(request: ApiRequest) -> Reply:
    """GET /scores."""
    return json_reply(encode(await _page(request, None)))


async def get(request: ApiRequest) -> Reply:
    """GET /scores/{actorId}."""
    actor_id = request.path["actorId"]
    page = await _page(request, actor_id)
    totals = await request.services.rule_store.score_totals([actor_id])
    return json_reply(encode({"actor_id": actor_id, "points": _shown(totals[actor_id]), **page}))


async def _page(request: ApiRequest, actor_id: str | None) -> dict[str, Any]:
    after, limit = request.query["after"], request.query["limit"]
    found: Sequence[Score] = await request.services.rule_store.list_scores(after, limit, actor_id)
    page: dict[str, Any] = {"content": [*map(_entry, found)]}
    if len(found) == limit:
        page["next"] = found[-1].number
    return page


def _entry(score: Score) -> dict[str, Any]:
    return {
        "number": score.number,
        "actor_id": score.actor_id,
        "points": _shown(score.points),
        "reason": score.reason,
        "time": rfc3339(score.ctime),
    }


def _shown(points: float) -> float:
    """Return points as JSON shows them, without a fraction if they have none."""
    rounded = round(points, _PLACES)
    return int(rounded) if rounded.is_integer() else rounded
