"""Cause of what a request asks for, from the request's context."""

from __future__ import annotations

from wfx.domain.cause import UNKNOWN, EncodedCause, of_request
from wfx.request_context import current


def present_cause() -> EncodedCause:
    """Return who asks, and by which request; :data:`~wfx.domain.cause.UNKNOWN` outside of any."""
    context = current()
    return UNKNOWN if context is None else of_request(context.request_id, context.side, context.principal)
