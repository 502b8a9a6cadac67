"""Fetch the engine of scripts into the source tree: ``python -m release.script_engine [--if-npm-is-found]``."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from wfx.scripts.engine_file import ENGINE, SHA256

_HERE = Path(__file__).parent
_LOCK_OF_NPM = _HERE.parents[1] / "requirements-npm.lock"
_DEADLINE = 600.0


class WrongEngine(Exception):
    """What was fetched is not what was tested."""


def fetch(*, only_with_npm: bool) -> str:
    """Put the engine where wfx looks for it; return what to say. Raises WrongEngine, CalledProcessError."""
    if ENGINE.exists() and hashlib.sha256(ENGINE.read_bytes()).hexdigest() == SHA256:
        return ""
    with tempfile.TemporaryDirectory(prefix="wfx-engine-") as name:
        folder = Path(name)
        search = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
        if shutil.which("npm", path=search) is None:
            if only_with_npm:
                return (
                    "Scripts are off: npm is not found, which fetches their engine; make script-engine brings its own."
                )
            search = os.pathsep.join((_installed_npm(folder / "npm"), search))
        _install(folder, search)
        content = (folder / "node_modules" / "quickjs-wasi" / "quickjs.wasm").read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise WrongEngine(f"the engine has the hash {hashlib.sha256(content).hexdigest()}, {SHA256} was tested")
    unfinished = ENGINE.with_name(f".{ENGINE.name}.{os.getpid()}")  # several may fetch at once
    unfinished.write_bytes(content)
    unfinished.replace(ENGINE)
    return f"Fetched {ENGINE.name}."


def _install(folder: Path, search: str) -> None:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(_HERE / name, folder)
    npm = shutil.which("npm", path=search)
    assert npm is not None, search
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(command, cwd=folder, env=os.environ | {"PATH": search}, check=True, timeout=_DEADLINE)  # noqa: S603 - npm itself


def _installed_npm(folder: Path) -> str:
    """Install npm from the package index, for this once; return the directory of its program."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=_DEADLINE)  # noqa: S603 - Python itself
    programs = folder / "bin"
    command = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--only-binary", ":all:", "--require-hashes", "-r", str(_LOCK_OF_NPM)]
    subprocess.run(command, check=True, timeout=_DEADLINE)  # noqa: S603 - pip of the environment that was just made
    return str(programs)


def main() -> None:
    """Fetch it; with --if-npm-is-found, wfx goes on without it where that fails."""
    optional = "--if-npm-is-found" in sys.argv[1:]
    try:
        said = fetch(only_with_npm=optional)
    except (OSError, subprocess.SubprocessError) as exc:
        if not optional:
            raise
        said = f"Scripts are off: their engine was not fetched ({type(exc).__name__}); make script-engine says why."
    if said:
        print(said)  # noqa: T201 - a program


if __name__ == "__main__":
    main()
