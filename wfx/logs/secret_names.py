"""Names of secrets: what the values of fields, members, parameters and headers are called that must not be shown."""

from __future__ import annotations

import re

KEYS = "(?:api|access|secret|private|auth)[ _-]?key"
"""Names of API keys."""
WORDS = "password|passwd|passphrase|pwd|secret|token|credentials?"
"""Names of other secrets, which tell them in any text."""
_ANYWHERE = f"{WORDS}|pass|authorization"
_AT_THE_END = "key|auth_salt"
"""What tells them only where it is known that a whole name stands: a sentence may say "pass: 3" or "key: x"."""
PARAMETER = rf"\w*(?:(?:{_ANYWHERE})\w*|{_AT_THE_END})"
"""Names of parameters, such as ``_auth_pass`` and ``sslpassword``."""
_in_name = re.compile(rf"{_ANYWHERE}|(?:{_AT_THE_END})$", re.IGNORECASE)
_in_text = re.compile(rf"(?:{KEYS}|{WORDS})$", re.IGNORECASE)
_PARAMETERS = ("session", "auth", "sig", "signature", "x-amz-signature", "x-goog-signature")
"""Parameters of a query string that are secrets, though a member or a word of a text that is called so is none."""


def is_secret(name: str) -> bool:
    """Tell whether this is what a secret is called, as a member of JSON."""
    return _in_name.search(name) is not None


def is_secret_parameter(name: str) -> bool:
    """Tell whether this is what a secret is called in a query string."""
    return is_secret(name) or name.lower() in _PARAMETERS


def tells_secret(name: str) -> bool:
    """Tell whether what stands behind this name and a colon is taken for a secret in any text."""
    return _in_text.search(name) is not None
