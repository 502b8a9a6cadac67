"""Shared libraries: those that compiled files of the package are linked to, and the Debian packages that have them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

_COMPILED = re.compile(r"\.so(\.\d+)*$")
_LIBC = "libc6 (>= 2.31)"
_PACKAGES = {
    "ld-linux-aarch64.so.1": _LIBC,
    "ld-linux-x86-64.so.2": _LIBC,
    "libc.so.6": _LIBC,
    "libdl.so.2": _LIBC,
    "libgcc_s.so.1": "libgcc-s1",
    "libm.so.6": _LIBC,
    "libpthread.so.0": _LIBC,
    "librt.so.1": _LIBC,
    "libstdc++.so.6": "libstdc++6",
    "libutil.so.1": _LIBC,
}
"""Names of libraries, and the package of Debian that has each."""


class UnknownLibrary(Exception):
    """Something is linked to a library of which it is not known what package has it."""


def needed(files: Iterable[Path]) -> dict[str, str]:
    """Return the libraries that compiled files ask for, each with the name of a file that does."""
    if shutil.which("readelf") is None:
        raise FileNotFoundError("readelf is missing, which tells the libraries that are needed: install binutils")
    found: dict[str, str] = {}
    for file in files:
        command = ["readelf", "--dynamic", "--wide", str(file)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - of binutils
        found |= dict.fromkeys(re.findall(r"\(NEEDED\).*\[(.+)\]", told), file.name)
    return found


def packages(root: Path) -> list[str]:
    """Return the packages that the compiled files of a tree need. Raises UnknownLibrary."""
    files = (path for path in root.rglob("*.so*") if path.is_file() and not path.is_symlink())
    own = [path for path in files if _COMPILED.search(path.name)]
    wanted = needed(own)
    unknown = wanted.keys() - _PACKAGES.keys() - {path.name for path in own}
    if unknown:
        told = ", ".join(f"{name} (for {wanted[name]})" for name in sorted(unknown))
        raise UnknownLibrary(f"add to release/shared_libraries.py which package has {told}")
    return sorted({_PACKAGES[name] for name in wanted if name in _PACKAGES})
