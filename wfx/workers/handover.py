"""Handover: what a worker process gets from its parent when it starts."""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from wfx.commandline.config_files import ConfigFiles
from wfx.commandline.options import Value
from wfx.config.live_reload import LoadedConfig
from wfx.request_context import Side
from wfx.server.listeners import Listener, take_over
from wfx.server.tls import Tls


@dataclass(frozen=True, slots=True)
class Socket:
    """A listening socket of a worker."""

    side: Side
    scheme: str
    descriptor: int


@dataclass(frozen=True, slots=True)
class Handover:
    """What a worker needs to know. It has the environment and the working directory of its parent, too."""

    number: int
    """Of the worker, from 1 up."""
    parent: int
    """The process id of the parent."""
    loaded: LoadedConfig
    """The configuration that the service started with, also for workers that are started later: options that need a
    restart are the same for all. Those that were changed in files since then come by a first reload."""
    given: Mapping[str, Value]
    """What flags say."""
    files: ConfigFiles
    channel: int
    """The descriptor of the channel to the parent."""
    sockets: Sequence[Socket]
    asked: int
    """The descriptor of the socket for questions of other workers."""
    siblings: Mapping[int, str]
    """The addresses of the sockets for questions to other workers, by their numbers."""

    def encoded(self) -> bytes:
        """Return it as it goes to the worker's standard input."""
        return pickle.dumps(self)

    @classmethod
    def read(cls, stream: BinaryIO) -> Handover:
        """Read what the parent has sent; the descriptors are for this process and none that it starts."""
        received: Handover = pickle.loads(stream.read())  # noqa: S301  # the parent's, on a pipe
        for number in received.descriptors:
            os.set_inheritable(number, False)
        return received

    @property
    def descriptors(self) -> list[int]:
        """The numbers of all sockets."""
        return [self.channel, self.asked, *(each.descriptor for each in self.sockets)]

    def listeners(self, tls: Tls | None) -> list[Listener]:
        """Serve the sockets; those of the scheme https have these settings of TLS."""
        engine = self.loaded.config.http_engine
        return [
            take_over(each.side, socket.socket(fileno=each.descriptor), engine, tls if each.scheme == "https" else None)
            for each in self.sockets
        ]
