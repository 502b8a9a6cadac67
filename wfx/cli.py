"""The command ``wfx``: options in, exit code out."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import uvloop

from wfx import logs
from wfx.bootstrap import run
from wfx.config.options import OPTIONS, Config
from wfx.domain.errors import StoreUnusable
from wfx.server.listeners import CannotListen


def main() -> None:
    """Run the server; exits with 0 after a stop by signal and 1 when it could not start."""
    sys.exit(_serve(sys.argv[1:]))


def _serve(argv: list[str]) -> int:
    values: dict[str, Any] = {}
    by_name = {o.name: o for o in OPTIONS}
    words = iter(argv)
    for word in words:
        name, has, text = word[2:].partition("=")
        option = by_name[name]
        text = text if has else next(words)
        values[option.member] = {"str": str, "int": int, "Seconds": lambda t: float(t.removesuffix("s"))}[option.kind](text)
    for o in OPTIONS:
        if o.variable in os.environ and o.member not in values:
            values[o.member] = {"str": str, "int": int, "Seconds": lambda t: float(t.removesuffix("s"))}[o.kind](os.environ[o.variable])
    config = Config(**values)
    logs.configure(config.log_level, config.log_format)
    try:
        uvloop.run(run(config))
    except (StoreUnusable, CannotListen) as exc:
        print(f"Error: {exc}", file=sys.stderr)
        return 1
    return 0
