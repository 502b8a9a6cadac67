"""The header ``X-Client-Id``, by which a shipped device says on the southbound side who it is."""

from __future__ import annotations

from wfx.api.request import ApiRequest
from wfx.request_context import Side

_NAME = b"x-client-id"


def device_of(request: ApiRequest) -> str:
    """Return the client id that a device gives of itself; empty on the northbound side, and for what is no UTF-8."""
    if request.context.side is not Side.SOUTH:
        return ""
    try:
        return next((value.decode() for name, value in request.scope["headers"] if name == _NAME), "")
    except UnicodeDecodeError:
        return ""
