"""Regular expressions of the linear-time engine RE2."""

from __future__ import annotations

import re2


def compiled(expression: str, memory: int, *, capturing: bool = True) -> re2._Regexp:
    """Compile for a bounded amount of memory, perhaps as if there were no groups. Raises re2.error."""
    options = re2.Options()
    options.never_capture = not capturing
    options.log_errors = False
    options.max_mem = memory
    return re2.compile(expression, options)
