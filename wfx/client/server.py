"""Where a server is, and how it is reached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # slow to import, and few programs speak TLS
    import ssl

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")


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

    def __post_init__(self) -> None:
        """Raise ValueError for a wrong address or header; the message leaves out their values, which may be secrets."""
        if not self.url.lower().startswith(("http://", "https://")):
            raise ValueError("the address of a server begins with http:// or https://, such as http://localhost:8080")
        for name, value in self.headers.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} cannot be the name of a header")
            if not _VALUE.fullmatch(value):
                raise ValueError(f"the value of the header {name} must be one line of printable ASCII characters")

    def trust(self) -> ssl.SSLContext:
        """Return the settings of TLS; reading the system's certificates takes long."""
        import ssl

        return self.tls if self.tls is not None else ssl.create_default_context()
