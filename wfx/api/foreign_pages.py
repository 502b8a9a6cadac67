"""Detects cross-site request forgery: requests that a page of another origin makes a browser send.

Before a request with a body of JSON, or a method other than GET, HEAD and POST, browsers send a preflight. What is left
are POSTs without such a body, as forms send them: some operations need no body.
"""

from __future__ import annotations

from collections.abc import Collection

from wfx.api.reply import RawHeader

_OWN = (b"same-origin", b"none")
_JSON = b"application/json"


def is_forged(method: str, headers: Collection[RawHeader], allowed: Collection[bytes]) -> bool:
    """Tell whether a request that needs no preflight comes from a page of neither this origin nor an allowed one."""
    if method != "POST":
        return False
    fields: dict[bytes, bytes] = dict(headers)
    origin, site = fields.get(b"origin"), fields.get(b"sec-fetch-site")
    if (origin is None and site is None) or origin in allowed:
        return False
    if fields.get(b"content-type", b"").partition(b";")[0].strip().lower() == _JSON:
        return False
    if site is not None:
        return site not in _OWN
    assert origin is not None
    return origin.rpartition(b"://")[2].lower() != fields.get(b"host", b"").lower()
