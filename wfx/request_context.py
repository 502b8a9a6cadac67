"""Context of the request that is being answered: its id, side, principal, operation and path parameters.

The outermost middleware of the app makes one for each request (:class:`wfx.api.app.App`) and leaves it in a context
variable, so every layer can read it and nobody passes it on. Each request runs in an asyncio task of its own, which
ends with it: the variable is set once and never reset. Tasks and timers that a request starts have its context too;
what works for all requests has none.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from types import MappingProxyType

REQUEST_ID = b"x-request-id"
"""Name of the header by which callers give an id and get it back, as ASGI spells it."""
LOG_FIELD = "reqID"
"""Name of the id in log records (server section 6)."""

_USABLE = re.compile(rb"[!-~]{1,128}")
_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


def _mint() -> Iterator[str]:
    """Make UUIDs of version 4: random for the process, and then a number. Each is two known parts, joined."""
    random = str(uuid.uuid4())[:24]
    endings = [f"{number:02x}" for number in range(256)]
    for high in count():
        beginning = f"{random}{high:010x}"
        for ending in endings:
            yield beginning + ending


_minted = _mint()


class Side(StrEnum):
    """Which API a request came in by."""

    NORTH = "north"
    """Management: operators and their tools."""
    SOUTH = "south"
    """Clients: the devices."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Who a client is by its certificate, which was verified; all in visible ASCII characters."""

    subject: str
    """The distinguished name as in RFC 4514: ``CN=device-1,O=Example``."""
    alternative_names: tuple[str, ...]
    """The subject's alternative names with their kinds: ``DNS:device-1.example``, ``URI:spiffe://example/device-1``."""
    sha256: str
    """The fingerprint: 64 hexadecimal digits in lower case."""


class RequestContext:
    """What is known of a request beside its content."""

    __slots__ = ("_id", "answered_by", "certificate", "deadline", "operation", "path", "principal", "side")

    def __init__(self, side: Side, given: bytes | None = None, certificate: ClientCertificate | None = None) -> None:
        """Take over the id that the caller gave; mint one if it gave none, or one that is not usable."""
        self._id = given.decode("ascii") if given is not None and _USABLE.fullmatch(given) else None
        self.side = side
        self.certificate = certificate
        """The client's certificate; None without TLS, and where clients need none."""
        self.principal = ""
        """Who asks; empty while nobody is told apart."""
        self.operation = ""
        """The operationId, once the route is found; empty for what is not in an OpenAPI document."""
        self.path = _NO_PARAMETERS
        """The decoded path parameters by name, once the route is found."""
        self.answered_by = ""
        """The plugin that answered, or was to decide and did not; empty if none has."""
        self.deadline: float | None = None
        """When the answer must be complete, in the time of the event loop; None if that is open."""

    @property
    def request_id(self) -> str:
        """1 to 128 visible ASCII characters, the caller's or a UUID; it is minted when somebody first asks for it."""
        if self._id is None:
            self._id = next(_minted)
        return self._id


_current: ContextVar[RequestContext | None] = ContextVar("wfx.request", default=None)
current: Callable[[], RequestContext | None] = _current.get
"""Return the context of the request that this task works for; None if it works for none."""
enter: Callable[[RequestContext], object] = _current.set
"""Make a context that of the running task."""


def given_id(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """Return the id that a caller gave, usable or not; of several the first."""
    for name, value in headers:
        if name == REQUEST_ID:
            return value
    return None
