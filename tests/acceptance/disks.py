"""Disks that fill up and fail, under a service that knows nothing of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wfx.demo.local import LocalService


def _mount(*arguments: str) -> None:
    subprocess.run([*([] if os.geteuid() == 0 else ["sudo", "-n"]), *arguments], check=True, timeout=10)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Make the folder a file system of this size; needs root, or sudo that does not ask."""
    _mount("mount", "-t", "tmpfs", "-o", f"size={size},mode=1777", "tmpfs", str(folder))
    try:
        yield
    finally:
        if folder.is_mount():
            _mount("umount", str(folder))


def remount(folder: Path, options: str) -> None:
    """Change the file system while it is in use."""
    _mount("mount", "-o", f"remount,{options}", str(folder))


class FaultySystem:
    """Failing calls of the operating system: https://blitiri.com.ar/p/libfiu, loaded before the C library."""

    def __init__(self, folder: Path) -> None:
        """Take orders for the service by a pipe in this folder."""
        self._prefix = str(folder / "fiu")
        told = subprocess.run(
            ["fiu-run", "-x", "-f", self._prefix, "env"], text=True, check=True, timeout=10, capture_output=True
        ).stdout
        named = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
        self.environment = {name: named[name] for name in ("LD_PRELOAD", "FIU_CTRL_FIFO", "FIU_ENABLE")}

    def order(self, service: LocalService, command: str) -> None:
        """Tell the running service which calls fail from now on."""
        assert service.process is not None
        process = str(service.process.pid)
        subprocess.run(["fiu-ctrl", "-f", self._prefix, "-c", command, process], check=True, timeout=10)


def take_away(folder: Path) -> None:
    """Unmount a file system that is in use; who has its files open keeps them."""
    _mount("umount", "--lazy", str(folder))
