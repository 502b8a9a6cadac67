"""Main program of the process that compiles the script engine for this machine. Never imported by the server.

    python -I -S module.py DIRECTORIES FILE NICENESS

DIRECTORIES are where packages are found, with colons between them; FILE is the engine. What workers load goes to
stdout. It is compiled once when the service starts, and kept in memory: a file could be changed by others.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path += sys.argv[1].split(os.pathsep)

import wasmtime

from wfx.sandbox.confinement import end_with_parent
from wfx.scripts.instance import EXPORTS
from wfx.scripts.wasm_engine import engine
from wfx.scripts.wasm_sections import with_exports


def main() -> None:
    """Compile it."""
    end_with_parent()
    os.nice(int(sys.argv[3]))
    module = with_exports(Path(sys.argv[2]).read_bytes(), EXPORTS)
    sys.stdout.buffer.write(wasmtime.Module(engine(), module).serialize())


if __name__ == "__main__":
    main()
