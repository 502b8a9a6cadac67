"""Identities of jobs."""

from __future__ import annotations

import os

_MILLISECONDS = 48
"""Bits of the time; the other 80 are random, but for six that make way for the version and the variant."""
_VARIANTS = "89ab"


def job_id(moment: int) -> str:
    """Make a UUID of version 4 (rest-api section 4) that begins with the milliseconds since 1970.

    ``moment`` is in microseconds. Ids that rise with time are put at the end of an index, one beside the other; random
    ones would each touch a page of their own. 74 bits are random.
    """
    time = f"{moment // 1000 % (1 << _MILLISECONDS):012x}"
    noise = os.urandom(10).hex()
    return f"{time[:8]}-{time[8:]}-4{noise[1:4]}-{_VARIANTS[int(noise[4], 16) % 4]}{noise[5:8]}-{noise[8:]}"
