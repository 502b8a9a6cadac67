"""Handler that shows the limits on how often work may begin."""

from __future__ import annotations

from typing import Any

from wfx.api.reply import Reply, json_reply
from wfx.api.request import ApiRequest
from wfx.domain.json import encode
from wfx.limits.asks import LimitScope
from wfx.limits.policy import shown
from wfx.service.limits import BandState


async def show(request: ApiRequest) -> Reply:
    """GET /limits."""
    limits, tunables = request.services.limits, request.services.tunables.current
    states, trouble = await limits.look(request.query["client_id"] or "", request.query["workflow"] or "")
    answer: dict[str, Any] = {
        "content": [
            _shown(state) | {"taken": limits.taken[state[:2]], "refused": limits.refused[state[:2]]} for state in states
        ],
        "max_allowed_repetitions": tunables.sandbox_max_allowed_repetitions,
        "max_command_duration": tunables.sandbox_max_command_duration,
    }
    if trouble:
        answer["warning"] = trouble
    return json_reply(encode(answer))


def _shown(state: BandState) -> dict[str, Any]:
    members = {"kind": state.kind, "scope": state.scope, "limit": shown(LimitScope.GLOBAL, state.band)}
    return members if state.left is None else {**members, "left": state.left, "wait": state.wait}
