"""Notes to callers in the header field ``Warning``: what of a request was ignored, what of an answer is left out.

The form is that of RFC 7234 section 5.5, with the code 299. Callers may pass over it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence

from wfx.api.reply import RawHeader

_logger = logging.getLogger(__name__)

_MOST_NAMES, _LONGEST_NAME = 5, 64
_UNSAFE = re.compile(r"[^ !#-\[\]-~]")
"""What may not stand in the quoted text, or would have to be escaped there."""


def note(text: str) -> RawHeader:
    """Make the field with this text."""
    return b"warning", b'299 wfx "%b"' % _UNSAFE.sub("?", text).encode()


def ignored(unknown: Sequence[str]) -> RawHeader:
    """Name what of a request was ignored, and log it at level debug."""
    names = ", ".join(name[:_LONGEST_NAME] for name in unknown[:_MOST_NAMES])
    more = f" and {len(unknown) - _MOST_NAMES} more" if len(unknown) > _MOST_NAMES else ""
    _logger.debug("ignored what the API does not know: %s%s", names, more)
    return note(f"ignored what the API does not know: {names}{more}")


def unknown_members(known: frozenset[str], given: Iterable[str]) -> list[str]:
    """Name the members of a body that the API does not know."""
    return [f"member {name}" for name in given if name not in known]


def shortened_history(entries: int, shown: int) -> RawHeader:
    """Say that an answer has a part of a history only."""
    return note(f"the history had {entries} entries, of which this answer has {shown}")
