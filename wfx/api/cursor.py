"""Cursors: where the next page of a list begins, in a form that callers give back as it is."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from wfx.api.bad_request import BadRequest

_MOST = 2**62


def cursor_of(log_id: str, number: int) -> str:
    """Name the place behind a job in the store whose log this is."""
    return _encoded(f"{log_id}.{number}")


def read_cursor(text: str) -> tuple[str, int]:
    """Return log and number. Raises BadRequest for what :func:`cursor_of` has not made."""
    try:
        log_id, _, number = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").rpartition(".")
    except ValueError:
        log_id, number = "", ""
    if not log_id or not number.isdecimal() or int(number) > _MOST or cursor_of(log_id, int(number)) != text:
        raise BadRequest(f"parameter 'after': '{text}' is no cursor; give 'next' of the page before")
    return log_id, int(number)


def id_cursor_of(log_id: str, client_id: str) -> str:
    """Name the place behind a device, in the store whose log this is."""
    return _encoded(f"{log_id}.{client_id}")


def read_id_cursor(text: str) -> tuple[str, str]:
    """Return log and client id. Raises BadRequest for what :func:`id_cursor_of` has not made."""
    try:
        log_id, _, client_id = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(".")
    except ValueError:
        log_id, client_id = "", ""
    if not log_id or not client_id or "\0" in client_id or id_cursor_of(log_id, client_id) != text:
        raise BadRequest(f"parameter 'after': '{text}' is no cursor; give 'next' of the page before")
    return log_id, client_id


def require_log(asked: str, present: str) -> None:
    """Raise BadRequest unless a cursor, if there was one, is of the log of the page."""
    if asked not in ("", present):
        raise BadRequest("parameter 'after': the cursor is of another database; start again without it")


def _encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")
