"""Lines around private keys in PEM, and those of PGP: expressions that both RE2 and ``re`` understand."""

from __future__ import annotations

_KIND = "[A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
BEGIN = f"-----BEGIN {_KIND}"
"""The line in front of a key."""
END = f"-----END {_KIND}"
"""The line behind one."""
