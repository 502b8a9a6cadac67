"""Entity tags of the fleet API, and the header If-Match (RFC 9110 section 13.1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wfx.api.bad_request import BadRequest

_NAME = b"if-match"
_LIST = re.compile(rb'(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*"){0,31}')
_TAG = re.compile(rb'(W/)?"([!#-~]*)"')
_VERSION = re.compile(r"[1-9][0-9]{0,17}")


def tag_of(version: int) -> bytes:
    """Name a version of a job."""
    return b'"%d"' % version


def wanted_tags(headers: Iterable[tuple[bytes, bytes]]) -> frozenset[str] | None:
    """Return the tags, without quotes, that something may have; None if it may have any. Raises BadRequest.

    Weak tags match nothing.
    """
    values = [value for name, value in headers if name == _NAME]
    if not values or values == [b"*"]:
        return None
    given = b",".join(values)
    if _LIST.fullmatch(given) is None:
        raise BadRequest('header If-Match: it must be *, or entity tags such as "3" with commas between')
    return frozenset(tag.decode("ascii") for weak, tag in _TAG.findall(given) if not weak)


def wanted_versions(headers: Iterable[tuple[bytes, bytes]]) -> frozenset[int] | None:
    """Return the versions that a job may have; None if it may have any. Raises BadRequest.

    Tags that name no version match nothing.
    """
    tags = wanted_tags(headers)
    return None if tags is None else frozenset(int(tag) for tag in tags if _VERSION.fullmatch(tag))
