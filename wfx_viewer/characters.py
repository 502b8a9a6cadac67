"""Characters of texts that go into drawings: those that XML cannot have, escaped or not, are replaced."""

from __future__ import annotations

import re

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def without_illegal_xml(text: str) -> str:
    """Replace what XML cannot have, which most drawing programs write."""
    return _ILLEGAL.sub("\ufffd", text)
