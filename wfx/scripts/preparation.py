"""Preparation of the engine: WebAssembly turned into code for this machine, in a process that ends then."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from wfx.sandbox.child import directory_of, spawn
from wfx.scripts.engine_file import ENGINE, NOT_EXECUTABLE, PACKAGES
from wfx.scripts.errors import ScriptsUnavailable

_SECONDS = 300.0
"""Usually it takes 1 to 3 s."""
_NICENESS = 5


async def compiled_engine() -> bytes:
    """Compile it. Raises ScriptsUnavailable."""
    directories = os.pathsep.join(sorted({directory_of(name) for name in ("wfx", *PACKAGES)}))
    try:
        process = await spawn(Path(__file__).with_name("module.py"), directories, ENGINE, _NICENESS)
    except OSError as exc:
        raise ScriptsUnavailable(f"the script engine was not compiled: no process started ({exc.strerror})") from exc
    try:
        async with asyncio.timeout(_SECONDS):
            compiled, _ = await process.communicate()
    except TimeoutError as exc:
        raise ScriptsUnavailable(f"the script engine was not compiled within {_SECONDS:.0f} s") from exc
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == NOT_EXECUTABLE:
        raise ScriptsUnavailable(
            "the system refuses code that is made at run time, which scripts need: "
            "under systemd, set MemoryDenyWriteExecute=no for this service (systemctl edit wfx)"
        )
    if process.returncode:
        raise ScriptsUnavailable(f"the script engine was not compiled: its process ended with {process.returncode}")
    return compiled
