"""Place of a worker process: what it has from its parent, where a service alone has sockets and systemd."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from wfx import logs
from wfx.metrics import Siblings
from wfx.sandbox.confinement import end_with_parent
from wfx.server.listeners import Listener
from wfx.server.tls import Tls
from wfx.signals import ControlEvents
from wfx.workers.handover import Handover
from wfx.workers.parent_channel import ParentChannel


class WorkerPlace:
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
        self.siblings = Siblings(handover.number, socket.socket(fileno=handover.metrics), handover.siblings)
        self.manager = ParentChannel(socket.socket(fileno=handover.channel), control)

    def open_listeners(self) -> Sequence[Listener]:
        """Serve on the sockets of the parent."""
        return self._handover.listeners(self.tls)
