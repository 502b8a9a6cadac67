r"""Patterns of secrets and personal data in texts, for the linear-time engine RE2.

RE2 has no look-around. What must not stand before a secret is therefore matched in front of it, and each pattern has
exactly one capturing group: what is hidden. No repetition that another one could take over is without bound, so that
a search does not look far beyond what it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from wfx.logs.card_numbers import card_length
from wfx.logs.secret_names import KEYS, WORDS


class Pattern(NamedTuple):
    """A pattern, and what is found by it."""

    kind: str
    expression: str
    check: Callable[[bytes], int] = len
    """Returns how many bytes of what the expression finds are hidden; 0 if it only looks like one."""


_IS = r"""\\*["']?\s*(?:=>|[:=])\s*"""
"""What stands between a name and its value: ``=``, ``: ``, and ``": `` in JSON, also where that is escaped."""
_CUT = r"\\{0,3}\z"
"""What ends a quoted value of a text that ends within it, since the text is only the beginning of one, for example."""
_TWICE_ESCAPED = r"""[^"\\]|\\[^"\\]|\\\\(?:\\["\\]|[^"\\])"""
"""A character of a JSON string that is itself in one."""
_VALUE = rf"""(?:\\"((?:{_TWICE_ESCAPED})*)(?:\\"|{_CUT})|b?"((?s:[^"\\]|\\.)*)(?:"|{_CUT})"""
_VALUE += rf"""|b?'((?s:[^'\\]|\\.)*)(?:'|{_CUT})"""
_VALUE += r"""|([^\s,;&"'\\}\])\[][^\s,;&"'\\}\])]*))"""

_NO_MASK = r"""(?:\*{0,3}[^\s/?#"'<>*@]|\*{4})"""
"""How a password may begin: not with the three asterisks that stand for one in values of options."""

_PRIVATE_KEY = "[A-Z ]*PRIVATE KEY(?: BLOCK)?-----"
"""How the lines around a private key end: PEM, and the one of PGP."""

PATTERNS: Sequence[Pattern] = (
    Pattern(
        "private-key",
        rf"(-----BEGIN {_PRIVATE_KEY}(?:[^-]|-[^-])*(?:-----END {_PRIVATE_KEY})?)",
    ),
    Pattern("jwt", r"(?:\b|_)(eyJ[\w-]+\.[\w-]+(?:\.[\w-]*|\z))"),
    Pattern("bearer", rf"(?i:authorization){_IS}\\*[\"']?(?i:bearer)\s+([^\s,;\"'\\]+)"),
    Pattern("bearer", r"(?i:\bbearer)[\s:=]+([\w.~+/-]{6,}=*)"),
    Pattern(
        "authorization", rf"(?i:authorization){_IS}\\*[\"']?((?:(?i:basic|digest|negotiate|token) +)?[^\s,;\"'\\]+)"
    ),
    Pattern("credentials", rf"""://[^\s/?#"'<>:@]*:({_NO_MASK}[^\s/?#"'<>]*)@"""),
    Pattern("credentials", rf"""[^\s/:@"'=]:({_NO_MASK}[^\s"'@]*)@(?:tcp|unix)\("""),
    Pattern(
        "api-key",
        r"(?:\b|_)(sk-[\w-]{16,}|[spr]k_(?:live|test)_\w{10,}|A[KS]IA[0-9A-Z]{16}|gh[pousr]_\w{20,}|github_pat_\w{20,}"
        r"|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|AIza[\w-]{30,}|npm_\w{30,}|hf_\w{20,}|ya29\.[\w-]{20,}"
        r"|SG\.[\w-]{16,}\.[\w-]{16,}|whsec_[\w+/=-]{16,}|pypi-[\w-]{32,})",
    ),
    Pattern("api-key", rf"(?i:{KEYS}){_IS}{_VALUE}"),
    Pattern("secret", rf"(?i:{WORDS}|_pass|auth_salt){_IS}{_VALUE}"),
    Pattern(
        "email",
        r"([\w.%+'\x{80}-\x{10FFFF}-]+(?:@|%40)[\w\x{80}-\x{10FFFF}-][\w.\x{80}-\x{10FFFF}-]*\.[\w\x{80}-\x{10FFFF}-]{2,})",
    ),
    Pattern("ssn", r"(?:^|[^\w.+-])(\d{3}-\d{2}-\d{4})\b"),
    Pattern("phone", r"(?:^|[^\w.+-])(\+\d[\d ().-]{6,18}\d)\b"),
    Pattern("phone", r"(?:^|[^\w.+-])((?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4})\b"),
    Pattern("phone", r"(?:^|[^\w.+:/-])(\(?0\d{1,4}\)?[ /-]{1,3}\d[\d -]{4,12}\d)\b"),
    Pattern("card", r"(?:^|[^\w.+-])([2-6]\d{3}(?:[ -]?\d){9,15})\b", card_length),
)
"""The first one that matches at the leftmost place counts."""
