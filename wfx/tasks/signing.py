"""Signatures of webhooks, as Standard Webhooks has them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

_ID_DIGITS = 32


def webhook_id(key: str) -> str:
    """Return the id by which receivers know a webhook again: the same for each attempt, and after a replay."""
    return "msg_" + sha256(key.encode()).hexdigest()[:_ID_DIGITS]


def signed_headers(message_id: str, at: datetime, body: bytes, keys: Sequence[bytes]) -> list[tuple[str, str]]:
    """Return the headers of one attempt, with a signature by each key, and none if there is no key."""
    headers = [("webhook-id", message_id), ("webhook-timestamp", str(int(at.timestamp())))]
    if keys:
        from standardwebhooks import Webhook  # only who signs needs it

        signatures = (Webhook(key).sign(message_id, at, body.decode()) for key in keys)
        headers.append(("webhook-signature", " ".join(signatures)))
    return headers
