"""Main program of the process that compiles the script engine for this machine. Never imported by the server.

    python -I -S module.py DIRECTORIES FILE NICENESS

DIRECTORIES are where packages are found, with colons between them; FILE is the engine. What workers load goes to
stdout. It is compiled once when the service starts, and kept in memory: a file could be changed by others. Ends with
NOT_EXECUTABLE where the system does not let a process run code that it has made.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from pathlib import Path

sys.path += sys.argv[1].split(os.pathsep)

import wasmtime

from wfx.sandbox.confinement import end_with_parent
from wfx.scripts.engine_file import NOT_EXECUTABLE
from wfx.scripts.instance import EXPORTS
from wfx.scripts.wasm_engine import engine
from wfx.scripts.wasm_sections import with_exports


def main() -> None:
    """Compile it."""
    end_with_parent()
    os.nice(int(sys.argv[3]))
    if not _may_make_code():
        raise SystemExit(NOT_EXECUTABLE)
    module = with_exports(Path(sys.argv[2]).read_bytes(), EXPORTS)
    sys.stdout.buffer.write(wasmtime.Module(engine(), module).serialize())


def _may_make_code() -> bool:
    page = mmap.mmap(-1, mmap.PAGESIZE)
    place = ctypes.addressof(ctypes.c_char.from_buffer(page))
    executable = mmap.PROT_READ | mmap.PROT_EXEC
    return not ctypes.CDLL(None).mprotect(ctypes.c_void_p(place), ctypes.c_size_t(mmap.PAGESIZE), executable)


if __name__ == "__main__":
    main()
