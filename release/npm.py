"""npm, for what comes from its registry when wfx is packaged: that of the machine, else one from the package index."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = Path(__file__).parents[1] / "requirements-npm.lock"
DEADLINE = 600.0


class NpmNotFound(Exception):
    """The machine has no npm, and none was to be installed."""


@contextmanager
def programs(*, may_install: bool) -> Iterator[str]:
    """Give a search path with node and npm; what had to be installed is removed again. Raises NpmNotFound."""
    search = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    if shutil.which("npm", path=search) is not None:
        yield search
        return
    if not may_install:
        raise NpmNotFound
    with tempfile.TemporaryDirectory(prefix="wfx-npm-") as name:
        yield os.pathsep.join((_installed(Path(name)), search))


def install(folder: Path, search: str, deadline: float = DEADLINE) -> None:
    """Install what the lock file in a folder names, by its hashes; nothing of it is run."""
    run(
        ["npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--silent"],
        folder,
        search,
        deadline,
    )


def run(command: list[str], folder: Path, search: str, deadline: float = DEADLINE) -> None:
    """Run npm or node in a folder. Raises OSError, SubprocessError."""
    program = shutil.which(command[0], path=search)
    if program is None:
        raise FileNotFoundError(f"{command[0]} is not on the path {search}")
    environment = os.environ | {"PATH": search}
    subprocess.run([program, *command[1:]], cwd=folder, env=environment, check=True, timeout=deadline)  # noqa: S603 - npm, node


def fetch_for_program(fetch: Callable[[bool], str], without: str, target: str) -> None:
    """Run what fetches or builds a part of wfx, as a program, and print what it says.

    With the argument --if-npm-is-found, which ``fetch`` is told, wfx goes on without the part where that fails.
    """
    optional = "--if-npm-is-found" in sys.argv[1:]
    try:
        said = fetch(optional)
    except (OSError, subprocess.SubprocessError) as exc:
        if not optional:
            raise
        said = f"{without} ({type(exc).__name__}); make {target} says why."
    if said:
        print(said)  # noqa: T201 - a program


def _installed(folder: Path) -> str:
    """Install npm from the package index; return the directory of its program."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=DEADLINE)  # noqa: S603 - Python itself
    found = folder / "bin"
    command = [str(found / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--only-binary", ":all:", "--require-hashes", "-r", str(_LOCK)]
    subprocess.run(command, check=True, timeout=DEADLINE)  # noqa: S603 - pip of the environment that was just made
    return str(found)
