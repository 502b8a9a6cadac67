"""Reader of password files (``~/.pgpass``), as libpq reads them."""

from __future__ import annotations

import logging
import re
import stat
from pathlib import Path

log = logging.getLogger(__name__)
_FIELD = re.compile(r"((?:\\.|[^:\\])*\\?)(?::|$)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_FIELDS = 5
_BY_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def password_for(file: Path, host: str, port: int, database: str, user: str) -> str | None:
    """Return the password of the first line that fits, if the file is there and nobody else may read it."""
    wanted = (host, str(port), database, user)
    for line in _lines(file):
        fields = [_ESCAPE.sub(r"\1", raw) if raw != "*" else None for raw in _FIELD.findall(line)[:_FIELDS]]
        if len(fields) == _FIELDS and all(
            field is None or field == one for field, one in zip(fields, wanted, strict=False)
        ):
            return fields[-1] if fields[-1] is not None else "*"
    return None


def _lines(file: Path) -> list[str]:
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            log.warning("the password file %s is ignored: it is no plain file", file)
            return []
        if status.st_mode & _BY_OTHERS:
            log.warning("the password file %s is ignored: others may read it; its permissions must be 0600", file)
            return []
        lines = file.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except OSError:
        return []
    return [line.rstrip("\r") for line in lines if line and not line.startswith("#")]
