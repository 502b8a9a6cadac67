"""Fetch the engine of scripts into the source tree: ``python -m release.script_engine [--if-npm-is-found]``."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from release import npm
from wfx.scripts.engine_file import ENGINE, SHA256

_HERE = Path(__file__).parent


class WrongEngine(Exception):
    """What was fetched is not what was tested."""


def fetch(*, only_with_npm: bool) -> str:
    """Put the engine where wfx looks for it; return what to say. Raises WrongEngine, CalledProcessError."""
    if ENGINE.exists() and hashlib.sha256(ENGINE.read_bytes()).hexdigest() == SHA256:
        return ""
    try:
        with (
            npm.programs(may_install=not only_with_npm) as search,
            tempfile.TemporaryDirectory(prefix="wfx-engine-") as name,
        ):
            content = _fetched(Path(name), search)
    except npm.NpmNotFound:
        return "Scripts are off: npm, which fetches their engine, was not found; make script-engine installs npm."
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise WrongEngine(f"the engine has the hash {hashlib.sha256(content).hexdigest()}, {SHA256} was tested")
    unfinished = ENGINE.with_name(f".{ENGINE.name}.{os.getpid()}")  # several may fetch at once
    unfinished.write_bytes(content)
    unfinished.replace(ENGINE)
    return f"Fetched {ENGINE.name}."


def _fetched(folder: Path, search: str) -> bytes:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(_HERE / name, folder)
    npm.install(folder, search)
    return (folder / "node_modules" / "quickjs-wasi" / "quickjs.wasm").read_bytes()


def main() -> None:
    """Fetch it; with --if-npm-is-found, wfx goes on without it where that fails."""
    without = "Scripts are off: their engine was not fetched"
    npm.fetch_for_program(lambda optional: fetch(only_with_npm=optional), without, "script-engine")


if __name__ == "__main__":
    main()
