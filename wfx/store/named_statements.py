"""SQL statements by name, read from files that stand beside the code that uses them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path


def read_statements(path: Path) -> Mapping[str, str]:
    """Read a file, and split it at lines ``-- name: something``."""
    parts = re.split(r"^-- name: (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
