"""Socket activation by systemd: takes over sockets that listen already (sd_listen_fds(3))."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import MutableMapping, Sequence

from wfx.request_context import Side

log = logging.getLogger("wfx")

_FIRST = 3
"""The number of the first descriptor that is passed."""
_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
_SIDES = {"client": Side.SOUTH, "south": Side.SOUTH, "mgmt": Side.NORTH, "north": Side.NORTH}
"""What ``FileDescriptorName=`` in a socket unit may be."""
_IN_ORDER = (Side.SOUTH, Side.NORTH)
"""Whose sockets they are where the names do not tell (server section 4)."""


class PassedSocketsUnusable(Exception):
    """The passed sockets do not fit; the message says why."""


def passed_sockets(environment: MutableMapping[str, str] = os.environ) -> list[tuple[Side, socket.socket]]:
    """Take over the sockets that were passed to this process, if any. Raises PassedSocketsUnusable.

    The variables are removed, so that programs started from here do not take the sockets for theirs.
    """
    pid, count, names = (environment.pop(name, "") for name in _VARIABLES)
    if pid != str(os.getpid()) or not count.isdecimal() or count == "0":
        return []
    taken = [_take_over(_FIRST + number) for number in range(int(count))]
    return list(zip(_sides(names.split(":"), len(taken)), taken, strict=True))


def _sides(names: Sequence[str], count: int) -> Sequence[Side]:
    known = [_SIDES[name] for name in names if name in _SIDES]
    if len(known) == count:
        if len(set(known)) != len(_IN_ORDER):
            (missing,) = set(_IN_ORDER) - set(known)
            raise PassedSocketsUnusable(f"systemd has passed no socket for the {missing} side")
        return known
    if known:
        raise PassedSocketsUnusable(
            f"systemd has passed sockets of which some are named and some are not ({':'.join(names)}); "
            'name each of them "client" or "mgmt" (FileDescriptorName=)'
        )
    strange = [name for name in names if name not in ("", "unknown") and not name.endswith(".socket")]
    if strange and count == len(_IN_ORDER):
        log.warning(
            "systemd has passed sockets with unknown names (%s): the first one is taken for the southbound side; "
            'name them "client" and "mgmt" (FileDescriptorName=)',
            ":".join(names),
        )
    if count != len(_IN_ORDER):
        raise PassedSocketsUnusable(
            f"systemd has passed {count} sockets: two are needed, the southbound one first, or names for all of them "
            '("client" or "mgmt", FileDescriptorName=)'
        )
    return _IN_ORDER


def _take_over(number: int) -> socket.socket:
    try:
        taken = socket.socket(fileno=number)
    except OSError as exc:
        raise PassedSocketsUnusable(f"the passed descriptor {number} is no socket: {exc.strerror}") from exc
    os.set_inheritable(number, False)
    listens = taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if taken.family not in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX) or not listens:
        taken.close()
        raise PassedSocketsUnusable(f"the passed descriptor {number} is no listening TCP or Unix socket")
    return taken
