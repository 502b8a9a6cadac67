"""Debian package: wfx with all that it needs but Python itself, built without root."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from email.utils import formatdate
from pathlib import Path

from release import shared_libraries, tree
from release.clock import build_time
from release.components import ROOT, components, project

_DEBIAN = ROOT / "release" / "debian"
_SCRIPTS = ("postinst", "prerm", "postrm")


def build(target: Path, level: int = 10) -> Path:
    """Build the package into a directory, packed at a level of zstd; returns the file.

    Raises NotAsLocked, UnknownLibrary, and FileNotFoundError without dpkg-deb or readelf.
    """
    with tempfile.TemporaryDirectory(prefix="wfx-deb-") as folder:
        root = Path(folder) / "root"
        root.mkdir(mode=0o755)
        tree.make(root, components(), Path(folder))
        _changelog(root)
        _control(root)
        _set_modes(root)
        target.mkdir(parents=True, exist_ok=True)
        made = target / f"wfx_{project()['version']}_{_architecture()}.deb"
        command = ["dpkg-deb", "--root-owner-group", "-Zzstd", f"-z{level}", "--build", str(root), str(made)]
        environment = os.environ | {"SOURCE_DATE_EPOCH": str(build_time())}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - Debian's own program
    return made


def _architecture() -> str:
    command = ["dpkg", "--print-architecture"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - Debian's own program


def _changelog(root: Path) -> None:
    """Debian's changelog has the version alone; what changed is in the changelog of wfx beside it."""
    version, when = project()["version"], formatdate(build_time())
    text = (
        f"wfx ({version}) stable; urgency=medium\n\n  * Release {version}: see changelog.gz.\n\n"
        f" -- The authors of wfx <wfx@localhost>  {when}\n"
    )
    file = root / "usr/share/doc/wfx/changelog.Debian.gz"
    file.write_bytes(tree.compressed(text.encode()))


def _control(root: Path) -> None:
    """Write what dpkg wants to know."""
    control = root / "DEBIAN"
    control.mkdir(mode=0o755)
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    values = {
        "version": project()["version"],
        "architecture": _architecture(),
        "size": str(sum(path.stat().st_size for path in files) // 1024),
        "python": tree.PYTHON,
        "libraries": ", ".join(shared_libraries.packages(root)),
    }
    text = (_DEBIAN / "control").read_text(encoding="utf-8")
    (control / "control").write_text(text.format(**values), encoding="utf-8")
    (control / "conffiles").write_text("/etc/wfx/wfx.yml\n", encoding="utf-8")
    sums = (f"{hashlib.md5(p.read_bytes(), usedforsecurity=False).hexdigest()}  {p.relative_to(root)}\n" for p in files)
    (control / "md5sums").write_text("".join(line for line in sums if "  etc/" not in line), encoding="utf-8")
    for name in _SCRIPTS:
        shutil.copyfile(_DEBIAN / name, control / name)
        (control / name).chmod(0o755)


def _set_modes(root: Path) -> None:
    """Let everybody read each file, enter each directory and run what is a program, whatever the umask here is."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def main() -> None:
    """Build, and print where the package is."""
    parser = argparse.ArgumentParser(prog="python -m release.deb", description=__doc__)
    parser.add_argument("target", type=Path, nargs="?", default=ROOT / "dist")
    sys.stdout.write(f"{build(parser.parse_args().target)}\n")


if __name__ == "__main__":
    main()
