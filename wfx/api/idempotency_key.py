"""Reads the header Idempotency-Key (draft 07 of the IETF)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wfx.api.bad_request import BadRequest

_NAME = b"idempotency-key"
_VALUE = re.compile(rb'"([!#-\[\]-~]{1,128})"|([!#-\[\]-~]{1,128})')


def given_key(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the key, the same with quotes and without; None if there is none. Raises BadRequest."""
    given = [value for name, value in headers if name == _NAME]
    if not given:
        return None
    if len(given) > 1:
        raise BadRequest("header Idempotency-Key is given more than once")
    if (found := _VALUE.fullmatch(given[0])) is None:
        raise BadRequest(
            "header Idempotency-Key: it must have 1 to 128 visible ASCII characters, none of them a backslash, with or "
            "without quotes around them"
        )
    key: bytes = found[1] or found[2]
    return key.decode("ascii")
