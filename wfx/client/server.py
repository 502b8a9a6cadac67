"""Where a server is, and how it is reached."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Server:
    """One side of one server."""

    url: str
    """Its root, such as ``http://localhost:8080``: port 8080 is for devices, 8081 for operators."""
    socket: str = ""
    """Connect through this Unix socket instead of to the host of the URL."""
    proxy: str = ""
    """Connect through this HTTP proxy; variables of the environment are not looked at."""
    tls: ssl.SSLContext | None = None
    """Whom to trust, and which certificate to show; None trusts whom the system trusts."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with each request, such as ``Authorization``, and to no other server."""
    timeout: float = 10.0
    """Seconds for a whole exchange, event streams apart."""

    def trust(self) -> ssl.SSLContext:
        """Return the settings of TLS; reading the system's certificates takes long."""
        return self.tls if self.tls is not None else ssl.create_default_context()
