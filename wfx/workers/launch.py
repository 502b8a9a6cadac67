"""Launch of a serving process: its sockets, and whom it reports to; a worker gets both from its parent."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import Protocol

from wfx import logs
from wfx.sandbox.confinement import end_with_parent
from wfx.server.listeners import Listener
from wfx.server.siblings import Siblings
from wfx.server.tls import Tls
from wfx.signals import ControlEvents
from wfx.systemd import ServiceManager
from wfx.workers.handover import Handover
from wfx.workers.parent_channel import ParentChannel


class Launch(Protocol):
    """What a service is given by whoever has started it."""

    @property
    def siblings(self) -> Siblings | None:
        """The other workers, if there are any."""

    @property
    def tls(self) -> Tls | None:
        """Settings of the listeners that encrypt."""

    @property
    def manager(self) -> ServiceManager:
        """Who is told what the service is doing."""

    def open_listeners(self) -> Sequence[Listener]:
        """Return what the service serves on. Raises CannotListen."""


class WorkerLaunch:
    """Takes over what a handover names. To be made on the event loop that serves."""

    def __init__(self, handover: Handover, control: ControlEvents) -> None:
        """End with the parent from now on, and obey it. Raises CannotUseTls."""
        end_with_parent()
        if os.getppid() != handover.parent:
            raise SystemExit
        logs.set_worker(handover.number)
        config = handover.loaded.config
        self._handover = handover
        self.tls = Tls(config) if "https" in config.scheme else None
        self.siblings = Siblings(handover.number, socket.socket(fileno=handover.asked), handover.siblings)
        self.manager = ParentChannel(socket.socket(fileno=handover.channel), control)

    def open_listeners(self) -> Sequence[Listener]:
        """Serve on the sockets of the parent."""
        return self._handover.listeners(self.tls)
