"""Handlers that take events from outside."""

from __future__ import annotations

from wfx.api.reply import Reply
from wfx.api.request import ApiRequest
from wfx.domain.errors import NoRules


async def create(_request: ApiRequest) -> Reply:
    """POST /events."""
    raise NoRules


async def create_batch(_request: ApiRequest) -> Reply:
    """POST /events/batch."""
    raise NoRules
