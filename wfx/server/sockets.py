"""Listening sockets: opened on TCP ports and Unix paths, and removed again."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wfx.server.limits import BACKLOG

_ALL_IPV4 = "0.0.0.0"  # noqa: S104  # recognised, to listen on IPv6 as well (server section 4)


@dataclass(frozen=True, slots=True)
class SocketFile:
    """The file of a Unix socket that this process has made."""

    path: Path
    device: int
    inode: int

    def remove(self) -> None:
        """Remove it, unless another process has put one of its own in its place."""
        with suppress(OSError):
            found = self.path.lstat()
            if (found.st_dev, found.st_ino) == (self.device, self.inode):
                self.path.unlink()


def bind_tcp(host: str, port: int) -> socket.socket:
    """Listen on a TCP port. Raises OSError, or UnicodeError for what is no host name."""
    if host in (_ALL_IPV4, ""):
        with suppress(OSError):
            return _bind_tcp(socket.AF_INET6, ("::", port))
        return _bind_tcp(socket.AF_INET, (_ALL_IPV4, port))
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    return _bind_tcp(family, address)


def listen_several_times(opened: socket.socket, count: int) -> list[socket.socket]:
    """Replace a listening TCP socket by so many on its address, among which the system spreads connections.

    That the socket could be opened has shown that nobody else listens there: those that share an address would not
    notice. Raises OSError.
    """
    family, address = opened.family, opened.getsockname()
    opened.close()
    return [_bind_tcp(family, address, shared=True) for _ in range(count)]


def _bind_tcp(family: int, address: tuple[object, ...], *, shared: bool = False) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address[0] == "::" else 1)
        opened.bind(address)
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def bind_unix(path: Path, mode: int | None) -> tuple[socket.socket, SocketFile]:
    """Listen on a Unix socket, in the place of one on which nobody listens any more; a mode beats the umask.

    Raises OSError.
    """
    _remove_stale(path)
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _bind_with_mode(opened, path, mode)
        opened.listen(BACKLOG)
        made = path.lstat()
    except OSError:
        opened.close()
        raise
    return opened, SocketFile(path, made.st_dev, made.st_ino)


def _bind_with_mode(opened: socket.socket, path: Path, mode: int | None) -> None:
    """Make the file with its mode from the beginning, so that nobody can connect before it has it."""
    if mode is None:
        opened.bind(str(path))
        return
    before = os.umask(0o777 & ~mode)
    try:
        opened.bind(str(path))
    finally:
        os.umask(before)


def _remove_stale(path: Path) -> None:
    """Remove what a process that was killed has left. Raises OSError for anything else that is there."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise OSError(errno.EEXIST, "a file that is not a socket has this name; remove it or choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.setblocking(False)
        try:
            trial.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except BlockingIOError:  # its queue is full
            pass
    raise OSError(errno.EADDRINUSE, "another process listens there")
