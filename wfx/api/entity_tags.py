"""Entity tags of the fleet API, and the headers If-Match and If-None-Match (RFC 9110 section 13.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wfx.api.bad_request import BadRequest
from wfx.api.reply import Reply

_MATCH, _NONE_MATCH = b"if-match", b"if-none-match"
_LIST = re.compile(rb'(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*"){0,31}')
_TAG = re.compile(rb'(W/)?"([!#-~]*)"')
_ANY = b"*"
_VERSION = re.compile(r"[1-9][0-9]{0,17}")

Headers = Iterable[tuple[bytes, bytes]]


def tag_of(version: int) -> bytes:
    """Name a version of a job."""
    return b'"%d"' % version


def wanted_tags(headers: Headers) -> frozenset[str] | None:
    """Return the tags, without quotes, that something may have; None if it may have any. Raises BadRequest.

    Weak tags match nothing.
    """
    given = _given(headers, _MATCH)
    if given in (b"", _ANY):
        return None
    return frozenset(tag.decode("ascii") for weak, tag in _TAG.findall(given) if not weak)


def must_exist(headers: Headers) -> bool:
    """Tell whether If-Match is a star: there must be something, whatever tag it has. Raises BadRequest."""
    return _given(headers, _MATCH) == _ANY


def has_exclusion(headers: Headers) -> bool:
    """Tell whether there is an If-None-Match. Raises BadRequest."""
    return _given(headers, _NONE_MATCH) != b""


def excludes(headers: Headers, tag: bytes) -> bool:
    """Tell whether If-None-Match excludes what there is, which has this tag, in quotes or not. Raises BadRequest.

    A weak tag is the same here as a strong one.
    """
    given = _given(headers, _NONE_MATCH)
    return given == _ANY or tag.strip(b'"') in [found for _, found in _TAG.findall(given)]


def not_modified(tag: bytes) -> Reply:
    """Answer that the caller has what there is, which has this tag."""
    return Reply(304, headers=((b"etag", tag),))


def _given(headers: Headers, name: bytes) -> bytes:
    """Return a star, a list of tags, or nothing if the header is not there. Raises BadRequest."""
    values = [value for each, value in headers if each == name]
    given = b",".join(values)
    if values and given != _ANY and _LIST.fullmatch(given) is None:
        shown = "If-Match" if name == _MATCH else "If-None-Match"
        raise BadRequest(f'header {shown}: it must be *, or entity tags such as "3" with commas between')
    return given


def wanted_versions(headers: Headers) -> frozenset[int] | None:
    """Return the versions that a job may have; None if it may have any. Raises BadRequest.

    Tags that name no version match nothing. If-None-Match is refused: nothing is created under the name of a job.
    """
    if has_exclusion(headers):
        raise BadRequest("header If-None-Match: a job is changed with If-Match alone")
    tags = wanted_tags(headers)
    return None if tags is None else frozenset(int(tag) for tag in tags if _VERSION.fullmatch(tag))
