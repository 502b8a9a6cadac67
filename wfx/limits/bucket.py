"""Bucket of tokens with several bands, each of which fills up at a steady rate or in steps.

All arithmetic is in whole numbers: what a band lacks is counted in tokens times the milliseconds of its period, so no
rounding gives a token too early or too late, whoever computes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple


class Band(NamedTuple):
    """How many tokens there may be at once, and how fast they come back."""

    capacity: int
    period: int
    """Milliseconds in which an empty band is full again, or from a step to the next."""
    step: int = 0
    """Tokens that come back together, when a period has passed since the first was taken of a full band, and after each
    further one; 0 if they come back one by one, as many in a period as there are."""


class Bucket(NamedTuple):
    """What a bucket holds."""

    missing: Mapping[int, int]
    """What each band lacks, by its period, in tokens times that; a band that is not here is full.

    Of a band in steps it is that less the milliseconds since the last step. A band whose capacity is changed while its
    period stays keeps what was taken; so does a single one in steps whose period is changed.
    """
    at: int
    """When that was so, in milliseconds."""


FULL = Bucket(MappingProxyType({}), 0)


class Taken(NamedTuple):
    """What came of taking tokens."""

    bucket: Bucket
    """The bucket as it is now."""
    wait: int
    """Milliseconds until there are as many tokens as were wanted; 0 if they were taken."""


def take(bucket: Bucket, bands: Sequence[Band], now: int, cost: int = 1) -> Taken:
    """Take as many tokens of every band, or of none if one lacks them; then the longest wait counts.

    A clock that went back gives no tokens, and takes none. Raises ValueError for more tokens than a band can hold.
    """
    passed, longest, after = max(now - bucket.at, 0), 0, dict[int, int]()
    for band in bands:
        if cost > band.capacity:
            raise ValueError(f"{cost} tokens are more than a band can hold")
        lack = _lack(bucket, band, passed)
        if wait := _until(band, lack, band.capacity - cost):
            longest = max(longest, wait)
        after[band.period] = lack + cost * band.period
    if longest:
        return Taken(bucket if bucket.at <= now else Bucket(bucket.missing, now), longest)
    return Taken(Bucket(after, now), 0)


def give_back(bucket: Bucket, bands: Sequence[Band], now: int) -> Bucket:
    """Return the bucket with one more token in each band, up to its capacity: as if it had not been taken."""
    lacks = zip(bands, missing(bucket, bands, now), strict=True)
    return Bucket({band.period: max(lack - band.period, 0) for band, lack in lacks}, now)


def missing(bucket: Bucket, bands: Sequence[Band], now: int) -> Sequence[int]:
    """Return what each band lacks by now, in tokens times its period."""
    passed = max(now - bucket.at, 0)
    return [_lack(bucket, band, passed) for band in bands]


def left(bucket: Bucket, now: int, band: Band) -> int:
    """Return how many whole tokens a band has."""
    (lack,) = missing(bucket, (band,), now)
    return max(band.capacity - -(-lack // band.period), 0)


def wait_for(bucket: Bucket, now: int, band: Band) -> int:
    """Return in how many milliseconds a band has a token."""
    (lack,) = missing(bucket, (band,), now)
    return wait_of(band, lack)


def wait_of(band: Band, lack: int) -> int:
    """Return in how many milliseconds a band that lacks so much has a token."""
    return _until(band, lack, band.capacity - 1)


def full_at(bucket: Bucket, bands: Sequence[Band]) -> int:
    """Return when all bands are full again."""
    lacks = missing(bucket, bands, bucket.at)
    return bucket.at + max((_until(band, lack, 0) for band, lack in zip(bands, lacks, strict=True)), default=0)


def _lack(bucket: Bucket, band: Band, passed: int) -> int:
    """Return what a band lacks after some time."""
    if not band.step:
        return max(bucket.missing.get(band.period, 0) - passed * band.capacity, 0)
    period = band.period
    if period not in bucket.missing and len(bucket.missing) == 1:
        (period,) = bucket.missing
    lack = bucket.missing.get(period, 0)
    used = -(-lack // period)
    steps, rest = divmod(used * period - lack + passed, band.period)
    return max((used - steps * band.step) * band.period - rest, 0)


def _until(band: Band, lack: int, least: int) -> int:
    """Return in how many milliseconds no more than so many tokens are missing."""
    if lack <= least * band.period:
        return 0
    if not band.step:
        return -(-(lack - least * band.period) // band.capacity)
    used = -(-lack // band.period)
    return -(-(used - least) // band.step) * band.period - (used * band.period - lack)
