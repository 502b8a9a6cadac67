"""Signs of life of devices: which requests of the southbound side tell that a device is there."""

from __future__ import annotations

import re

from wfx.api.client_header import device_of
from wfx.api.request import ApiRequest
from wfx.request_context import Side

_VERSION, _USER_AGENT = b"x-client-version", b"user-agent"
_OPERATORS = b"wfxctl"
"""How the user agent begins of those who read what a device would, and are none."""
_SHOWABLE = re.compile(rb"[ -~]{1,100}\Z")


def note_poll(request: ApiRequest, client_id: str) -> None:
    """Note that a device has asked for its jobs; who reads them by ``wfxctl`` is none."""
    if request.context.side is not Side.SOUTH or not client_id:
        return
    version = agent = b""
    for name, value in request.scope["headers"]:
        if name == _VERSION:
            version = value
        elif name == _USER_AGENT:
            agent = value
    if not agent.startswith(_OPERATORS):
        told = version or agent
        request.services.devices.note(client_id, told.decode() if _SHOWABLE.match(told) else "")


def note_read(request: ApiRequest, client_id: str) -> None:
    """Note that a device has asked for one of its jobs: that it is the device is told by a header."""
    if device_of(request) == client_id:
        request.services.devices.note(client_id, "")


def note_report(request: ApiRequest, client_id: str) -> None:
    """Note that a device has reported about one of its jobs."""
    if request.context.side is Side.SOUTH:
        request.services.devices.note(client_id, "")
