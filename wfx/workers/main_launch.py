"""Launch of the main process: it opens its sockets, or takes them over from systemd, and reports to systemd."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from wfx.config.options import Config
from wfx.server.listener_warnings import listener_warnings
from wfx.server.listeners import Listener, open_listeners
from wfx.server.socket_activation import passed_sockets
from wfx.server.tls import Tls
from wfx.systemd import ServiceManager

log = logging.getLogger("wfx")


class MainLaunch:
    """What a process has that is the whole service, or the parent of workers."""

    siblings = None

    def __init__(self, config: Config) -> None:
        """Take over what systemd has passed. Raises PassedSocketsUnusable or CannotUseTls."""
        self._config = config
        self._passed = passed_sockets()
        self.manager = ServiceManager(os.environ)
        self.tls = Tls.of(config)

    @property
    def has_passed_sockets(self) -> bool:
        """Whether the sockets are those of systemd."""
        return bool(self._passed)

    def open_listeners(self) -> Sequence[Listener]:
        """Open the sockets, and warn of what an administrator may not be aware of. Raises CannotListen."""
        listeners = open_listeners(self._config, self.tls, self._passed)
        for warning in listener_warnings(self._config, listeners, passed=self.has_passed_sockets):
            log.warning(warning)
        return listeners
