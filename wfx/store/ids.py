"""Identities of jobs."""

from __future__ import annotations

import os
from uuid import UUID

_MILLISECONDS = 48
_RANDOM = 80
"""Bits; six of them make way for the UUID's version and variant."""


def job_id(moment: int) -> str:
    """Make a UUID of version 4 (rest-api section 4) that begins with the milliseconds since 1970.

    ``moment`` is in microseconds. Ids that rise with time are put at the end of an index, one beside the other; random
    ones would each touch a page of their own. 74 bits are random.
    """
    milliseconds = moment // 1000 % (1 << _MILLISECONDS)
    return str(UUID(int=milliseconds << _RANDOM | int.from_bytes(os.urandom(_RANDOM // 8)), version=4))
