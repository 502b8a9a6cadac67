"""A Debian system to install packages in: this one, with whatever is written going to memory and gone in the end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEADLINE = 240.0
_MOUNT = """\
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --bind /dev "$1/root/dev"
mount -t proc -o subset=pid proc "$1/root/proc"
mount -t tmpfs tmpfs "$1/root/run"
mount -t tmpfs tmpfs "$1/root/tmp"
ip link set lo up 2>/dev/null || true
echo ready
exec cat
"""


@dataclass(frozen=True, slots=True)
class DebianRoot:
    """The system; programs of it see nothing else."""

    holder: int
    """The process whose mounts they are."""
    path: Path

    def command(self, *words: str, folder: str = "/tmp") -> list[str]:
        """What to call so that words run in it, in a directory of it."""
        enter = ["nsenter", f"--mount=/proc/{self.holder}/ns/mnt", f"--net=/proc/{self.holder}/ns/net"]
        return [*enter, "chroot", str(self.path), "env", "-C", folder, *words]

    def run(
        self, *words: str, folder: str = "/tmp", check: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in it."""
        command = self.command(*words, folder=folder)
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "HOME": "/root"}
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=DEADLINE, check=False, **options
        )
        assert ended.returncode == 0 or not check, f"{words}: {ended.stdout}{ended.stderr}"
        return ended

    def text(self, place: str) -> str:
        """The content of a file of it."""
        return self.run("cat", place).stdout


@contextmanager
def debian_root(folder: Path, original: DebianRoot | None = None) -> Iterator[DebianRoot]:
    """Make one, with a network of its own in which all ports are free; or a copy of one, in which nothing runs."""
    assert os.geteuid() == 0, "installing packages takes root"
    enter = ["nsenter", f"--mount=/proc/{original.holder}/ns/mnt"] if original else []
    below = f"{original.path.with_name('upper')}:/" if original else "/"
    command = [*enter, "unshare", "--mount", "--net", "--propagation=private", "sh", "-c", _MOUNT, "sh"]
    holder = subprocess.Popen([*command, str(folder), below], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "ready\n", "no system to install in could be made"
        yield DebianRoot(holder.pid, folder / "root")
    finally:
        holder.stdin.close()
        holder.wait(DEADLINE)
        holder.stdout.close()
