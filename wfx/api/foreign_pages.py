"""Requests that a page of another origin made its reader's browser send (cross-site request forgery).

For a body of JSON, and for methods other than GET, HEAD and POST, browsers ask by a preflight first. What is left are
POSTs without such a body, as a form sends them: some operations need no body.
"""

from __future__ import annotations

from collections.abc import Collection

from wfx.api.reply import RawHeader

_OWN = (b"same-origin", b"none")
_JSON = b"application/json"


def is_forged(method: str, headers: Collection[RawHeader], allowed: Collection[bytes]) -> bool:
    """Tell whether a page of another origin than this service's, and those allowed, sends what needs no preflight."""
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
