"""Start of a service as its unit says: does what systemd would do, as far as it can, then becomes the service.

Runs inside of a system with Debian's own Python: ``python3 -c TEXT UNIT INSTANCE [SYSCALL_GROUPS]``. What the service
tells its manager is printed, a line for each message, after the word ``told``.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import re
import select
import shlex
import socket
import subprocess
import sys
from pathlib import Path

ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
NOT_EQUAL, MASKED_EQUAL = 1, 7
NEW_NAMESPACES = 0x7E020000
CLONE_NEWNS = 0x00020000
MAP_WRITE_EXECUTE, EXECUTE = 0x6, 0x4


class Comparison(ctypes.Structure):
    """An argument of a system call, and what it is compared with (seccomp_rule_add(3))."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


class Filter:
    """A filter of system calls, made with the library that systemd uses."""

    def __init__(self, otherwise: int) -> None:
        """Treat calls so for which there is no rule."""
        self._library = ctypes.CDLL("libseccomp.so.2")
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.seccomp_init(ctypes.c_uint32(otherwise)))

    def rule(self, action: int, name: str, *comparisons: Comparison) -> None:
        """Add a rule; names that this machine does not have are left out, as systemd does."""
        number = self._library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            array = (Comparison * len(comparisons))(*comparisons)
            added = self._library.seccomp_rule_add_array(
                self._context, ctypes.c_uint32(action), number, len(comparisons), array
            )
            assert added == 0, (name, added)

    def load(self) -> None:
        """Apply it to this process and what it starts."""
        assert self._library.seccomp_load(self._context) == 0


class Unit:
    """The settings of a unit's section; a list for each name."""

    def __init__(self, file: Path, instance: str) -> None:
        """Read them."""
        self._settings: dict[str, list[str]] = {}
        for line in file.read_text().splitlines():
            name, sign, value = line.partition("=")
            if sign and not line.startswith(("#", "[")):
                self._settings.setdefault(name, []).append(value.replace("%i", instance))

    def all(self, name: str) -> list[str]:
        """Each value of a setting."""
        return self._settings.get(name, [])

    def one(self, name: str) -> str:
        """The value of a setting."""
        (value,) = self.all(name)
        return value

    def is_on(self, name: str) -> bool:
        """Whether a setting says yes."""
        return self.all(name) == ["yes"]


def mount(*words: str) -> None:
    """Mount something."""
    subprocess.run(["mount", *words], check=True)


def protect(unit: Unit, state: Path) -> None:
    """Make everything read-only but the directory of the service."""
    assert ctypes.CDLL(None).unshare(CLONE_NEWNS) == 0
    mount("--make-rprivate", "/")
    if unit.one("ProtectSystem") == "strict":
        mount("--bind", str(state), str(state))
        for place in ("/", "/run"):
            mount("-o", "remount,bind,ro", place)
    if unit.is_on("PrivateTmp"):
        mount("-t", "tmpfs", "tmpfs", "/tmp")
    if unit.is_on("ProtectHome"):
        for place in ("/home", "/root"):
            mount("-t", "tmpfs", "-o", "ro", "tmpfs", place)


def named(groups: dict[str, list[str]], name: str) -> set[str]:
    """The system calls of a group, with those of the groups in it."""
    return {name} if not name.startswith("@") else {call for each in groups[name] for call in named(groups, each)}


def read_groups(text: str) -> dict[str, list[str]]:
    """Read what ``systemd-analyze syscall-filter`` prints."""
    groups: dict[str, list[str]] = {}
    current = ""
    for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines():
        word = line.strip()
        if word.startswith("@") and not line.startswith(" "):
            current = word
            groups[current] = []
        elif word and current and not word.startswith("#"):
            groups[current].append(word)
    return groups


def confine(unit: Unit, text: str) -> None:
    """Refuse the system calls that the unit does not allow."""
    groups, allowed = read_groups(text), set[str]()
    for value in unit.all("SystemCallFilter"):
        calls = {call for name in value.lstrip("~").split() for call in named(groups, name)}
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    assert unit.one("SystemCallErrorNumber") == "EPERM"
    calls_filter = Filter(EPERM)
    for call in sorted(allowed):
        calls_filter.rule(ALLOW, call)
    more = Filter(ALLOW)
    families = [getattr(socket, name) for name in unit.one("RestrictAddressFamilies").split()]
    for family in set(range(64)) - {int(each) for each in families}:
        more.rule(EPERM, "socket", Comparison(0, 4, family, 0))
    if unit.is_on("MemoryDenyWriteExecute"):
        more.rule(EPERM, "mmap", Comparison(2, MASKED_EQUAL, MAP_WRITE_EXECUTE, MAP_WRITE_EXECUTE))
        more.rule(EPERM, "mprotect", Comparison(2, MASKED_EQUAL, EXECUTE, EXECUTE))
        more.rule(EPERM, "pkey_mprotect", Comparison(2, MASKED_EQUAL, EXECUTE, EXECUTE))
    if unit.is_on("RestrictNamespaces"):
        for bit in (1 << place for place in range(32) if NEW_NAMESPACES >> place & 1):
            more.rule(EPERM, "clone", Comparison(0, MASKED_EQUAL, bit, bit))
            more.rule(EPERM, "unshare", Comparison(0, MASKED_EQUAL, bit, bit))
        more.rule(EPERM, "setns")
        more.rule(ENOSYS, "clone3")
    more.load()
    calls_filter.load()


def report(opened: socket.socket) -> None:
    """Print what the service says, in a process of its own, which ends with the service."""
    service = os.getpid()
    if os.fork():
        return
    while select.select([opened], [], [], 0.1)[0] or os.getppid() == service:
        if select.select([opened], [], [], 0)[0]:
            message = opened.recv(4096).decode().replace("\n", " ")
            os.write(1, f"told {message}\n".encode())  # at once, or else lines of the service come in between
    os._exit(0)


def main() -> None:
    """Start the service."""
    file, instance, groups = sys.argv[1:]
    unit = Unit(Path(file), instance)
    user = pwd.getpwnam(unit.one("User"))
    state = Path("/var/lib") / unit.one("StateDirectory")
    state.mkdir(int(unit.one("StateDirectoryMode"), 8), parents=True, exist_ok=True)
    os.chown(state, user.pw_uid, user.pw_gid)
    notify = Path(f"/run/notify-{os.getpid()}")
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    opened.bind(str(notify))
    notify.chmod(0o777)
    report(opened)
    opened.close()
    protect(unit, state)
    os.umask(int(unit.one("UMask"), 8))
    os.chdir(unit.one("WorkingDirectory"))
    listening = {name: value for name, value in os.environ.items() if name.startswith("LISTEN_")}
    environment = listening | {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8", "HOME": user.pw_dir,
        "USER": user.pw_name, "LOGNAME": user.pw_name, "SHELL": user.pw_shell, "INVOCATION_ID": "0" * 32,
        "NOTIFY_SOCKET": str(notify), "WATCHDOG_PID": str(os.getpid()),
        "WATCHDOG_USEC": str(int(unit.one("WatchdogSec").removesuffix("s")) * 1_000_000),
    }  # fmt: skip
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    confine(unit, groups)
    command = shlex.split(unit.one("ExecStart"))
    os.execve(command[0], command, environment)


if __name__ == "__main__":
    main()
