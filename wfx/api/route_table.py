"""Table that finds what answers a request, by its raw path and method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

from wfx.short_key_cache import ShortKeyCache

Target = TypeVar("Target")
Methods = dict[str, Target]
"""The targets of one path."""
Parameters = Mapping[str, str]
"""Decoded path parameters by name."""

_NOT_A_PARAMETER = frozenset((b"", b".", b".."))
"""Segments that are cleaned from a path before it is looked up (RFC 3986 section 5.2.4)."""
_BLANK = b"{}"
_NO_PARAMETERS: Parameters = MappingProxyType({})


class RouteTable(Generic[Target]):
    """Finds targets by raw path: segments are compared as they were sent, and parameters decoded once.

    A path without parameters goes first, and of those with parameters the one whose first parameter comes later.
    """

    def __init__(self, routes: Iterable[tuple[str, str, Target]]) -> None:
        """Index rows of method, path and target; a segment of a path in braces is a parameter with that name.

        Raises ValueError if two rows have the same method and path, or name the parameters of a path differently.
        """
        self._by_path: dict[bytes, Methods[Target]] = {}
        """By path, with parameters blanked out."""
        self._names: dict[bytes, tuple[str, ...]] = {}
        """Names of the parameters of each of these paths."""
        self._places: dict[int, list[tuple[int, ...]]] = {}
        """Which segments are parameters, by the number of segments; in the order in which they are tried."""
        self._known: ShortKeyCache[tuple[Methods[Target], Parameters]] = ShortKeyCache(most=8192, longest=256)
        """What was found of late: devices ask for the same few paths again and again. At most some 7 MB."""
        for method, path, target in routes:
            self._add(method, path, target)
        for methods in self._by_path.values():
            if "GET" in methods:
                methods.setdefault("HEAD", methods["GET"])

    def _add(self, method: str, path: str, target: Target) -> None:
        segments = path.split("/")
        places = tuple(place for place, segment in enumerate(segments) if segment.startswith("{"))
        blanked = b"/".join(_BLANK if place in places else each.encode() for place, each in enumerate(segments))
        methods = self._by_path.setdefault(blanked, {})
        names = tuple(segments[place][1:-1] for place in places)
        if method in methods or self._names.setdefault(blanked, names) != names:
            raise ValueError(f"route {method} {path} contradicts another")
        methods[method] = target
        tried = self._places.setdefault(len(segments), [])
        if places and places not in tried:
            tried.append(places)
            tried.sort(key=lambda those: [place in those for place in range(len(segments))])

    def find(self, raw_path: bytes) -> tuple[Methods[Target], Parameters] | None:
        """Return the targets of a path by method, and its decoded parameters; None for an unknown path."""
        found = self._known.get(raw_path)
        if found is None and (found := self._look_up(raw_path)) is not None:
            self._known.put(raw_path, found)
        return found

    def _look_up(self, raw_path: bytes) -> tuple[Methods[Target], Parameters] | None:
        if b"{" not in raw_path and (methods := self._by_path.get(raw_path)) is not None:
            return methods, _NO_PARAMETERS
        segments = raw_path.split(b"/")
        for places in self._places.get(len(segments), ()):
            values = [segments[place] for place in places]
            blanked = segments.copy()
            for place in places:
                blanked[place] = _BLANK
            path = b"/".join(blanked)
            if (methods := self._by_path.get(path)) is not None and _NOT_A_PARAMETER.isdisjoint(values):
                return methods, dict(zip(self._names[path], map(decode, values), strict=True))
        return None


def decode(segment: bytes) -> str:
    """Undo percent-encoding. What is no UTF-8 becomes U+FFFD, which no id or name contains, so it finds nothing."""
    return unquote_to_bytes(segment).decode("utf-8", "replace")
