"""Asks: which buckets somebody wants a token of, and what becomes of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from wfx.limits.bucket import Band, Bucket, give_back, take

_LONGEST_NAME = 255


class LimitScope(StrEnum):
    """Who shares a bucket."""

    GLOBAL = "global"
    """All."""
    CLIENT = "client"
    """All work for one client."""
    WORKFLOW = "workflow"
    """All jobs of one workflow."""
    ADDRESS = "address"
    """All requests from one address."""


class Ask(NamedTuple):
    """A bucket that a token is wanted of."""

    key: str
    scope: LimitScope
    bands: tuple[Band, ...]


Asks = tuple[Ask, ...]


class Shortage(NamedTuple):
    """Why no token was taken."""

    milliseconds: int
    """How long to wait for the bucket that takes longest."""
    scope: LimitScope
    """Who shares that."""


def bucket_key(kind: str, scope: LimitScope, name: str) -> str:
    """Return the key of a bucket: text of bounded length that each database takes."""
    if len(name) > _LONGEST_NAME or not name.isprintable():
        name = sha256(name.encode(errors="surrogatepass")).hexdigest()
    return f"{kind} {scope} {name}"


def take_all(
    buckets: Callable[[str], Bucket], asks: Sequence[Ask], now: int
) -> tuple[Mapping[str, Bucket], Shortage | None]:
    """Take a token of each bucket, or of none if one lacks it.

    Returns the buckets that have changed, and why no token was taken; None if tokens were taken.
    """
    longest: Shortage | None = None
    turned_back, taken = dict[str, Bucket](), dict[str, Bucket]()
    for ask in asks:
        before = buckets(ask.key)
        after, wait = take(before, ask.bands, now)
        if not wait:
            taken[ask.key] = after
        elif longest is None or wait > longest.milliseconds:
            longest = Shortage(wait, ask.scope)
        if wait and after is not before:
            turned_back[ask.key] = after
    return taken if longest is None else turned_back, longest


def give_back_all(buckets: Callable[[str], Bucket], asks: Sequence[Ask], now: int) -> Mapping[str, Bucket]:
    """Return the buckets with a token given back to each, for work that did not begin."""
    return {ask.key: give_back(buckets(ask.key), ask.bands, now) for ask in asks}
