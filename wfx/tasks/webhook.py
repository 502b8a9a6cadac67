"""Webhooks: sends a JSON document to an address, signed, and only to addresses that the guard allows."""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from wfx.domain.cause import decode_cause
from wfx.domain.json import decode, encode
from wfx.rules.own_actions import WEBHOOK_NOTIFY
from wfx.store.rule_records import Task
from wfx.tasks.address_guard import AddressGuard, AddressNotAllowed
from wfx.tasks.performing import CannotBeDone, TryAgain
from wfx.tasks.signing import signed_headers, webhook_id
from wfx.version import VERSION

if TYPE_CHECKING:
    import httpcore
    import httpx

    from wfx.tasks.guarded_connections import Resolve

KIND = WEBHOOK_NOTIFY
DEADLINE = 15.0
"""Seconds in which a receiver has to answer with 2xx, from the look-up of its name on."""
_CONNECT = 5.0
"""Seconds for a connection to one address; the next one is tried then."""
_LONGEST_URL = 4096
_MOST_READ = 64 * 1024
"""Bytes of an answer that are read, so that the receiver can end properly. Nobody looks at them."""
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}\Z")
_PORTS = range(1, 65536)
_USER_AGENT = f"wfx/{VERSION}"


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """How webhooks are sent."""

    keys: Sequence[bytes] = ()
    """That they are signed with."""
    guard: AddressGuard = AddressGuard()


class Webhooks:
    """Performs tasks that are webhooks."""

    def __init__(self, settings: Callable[[], WebhookSettings], resolve: Resolve | None = None) -> None:
        """Look at the settings at each attempt, and names up by the system unless somebody else does."""
        self._settings = settings
        self._resolve = resolve
        self._trust: ssl.SSLContext | None = None

    async def perform(self, task: Task) -> str:
        """Send it once; a receiver that answers with 2xx has it. Raises as Perform says."""
        wanted = decode(task.input)
        url, settings = _url_of(wanted), self._settings()
        content = encode(wanted.get("body"))
        headers = [
            *_headers_of(url),
            *signed_headers(webhook_id(task.key), datetime.now(UTC), content, settings.keys),
        ]
        if request_id := decode_cause(task.cause).request_id:
            headers.append(("X-Request-Id", request_id))
        status = await self._sent(url, headers, content, settings.guard)
        return _told(status)

    async def _sent(self, url: httpx.URL, headers: list[tuple[str, str]], content: bytes, guard: AddressGuard) -> int:
        """Return the status of the answer."""
        if self._trust is None:
            self._trust = await asyncio.to_thread(_trust)
        import httpcore

        from wfx.tasks.guarded_connections import GuardedConnections, resolve

        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        connections = GuardedConnections(guard, self._resolve or resolve)
        status = 0
        try:
            async with (
                asyncio.timeout(DEADLINE),
                httpcore.AsyncConnectionPool(self._trust, network_backend=connections) as pool,
                pool.stream(
                    "POST", target, headers=headers, content=content,
                    extensions={"timeout": {"connect": _CONNECT}},
                ) as answer,
            ):  # fmt: skip
                status = answer.status
                await _read_some(answer)
        except TimeoutError as exc:
            if not status:
                raise TryAgain(f"no answer within {DEADLINE:g} s") from exc
        except httpcore.ConnectTimeout as exc:  # of TCP or of TLS; it has no text of its own
            raise TryAgain(f"no connection within {_CONNECT:g} s") from exc
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as exc:
            if not status:
                raise TryAgain(str(exc) or type(exc).__name__) from exc
        return status


def _trust() -> ssl.SSLContext:
    """Read whom the system trusts, and load what sends: in a thread, so that nobody waits for it."""
    import wfx.tasks.guarded_connections  # noqa: F401 - only who sends webhooks needs it, and httpcore

    return ssl.create_default_context()


async def _read_some(answer: httpcore.Response) -> None:
    size = 0
    async for piece in answer.aiter_stream():
        size += len(piece)
        if size > _MOST_READ:
            return


def _url_of(wanted: Any) -> httpx.URL:
    """Return where a webhook goes. Raises CannotBeDone."""
    text = wanted.get("url") if isinstance(wanted, dict) else None
    if not isinstance(text, str) or len(text) > _LONGEST_URL:
        raise CannotBeDone(f"the address is no text of at most {_LONGEST_URL:,} characters")
    import httpx  # it takes a tenth of a second, which the start of the service does not need

    try:
        url = httpx.URL(text)
        host = url.raw_host.decode("ascii")
        usable = url.scheme in ("http", "https") and _is_host(host) and (url.port is None or url.port in _PORTS)
    except (httpx.InvalidURL, UnicodeError, ValueError):
        usable = False
    if not usable:
        raise CannotBeDone("the address is not one such as https://hooks.example.com/wfx")
    return url


def _is_host(text: str) -> bool:
    if ":" in text:
        return True  # an address of IPv6, which the parser has read
    return _HOST.match(text) is not None


def _headers_of(url: httpx.URL) -> list[tuple[str, str]]:
    headers = [
        ("Host", url.netloc.decode("ascii")),
        ("Content-Type", "application/json"),
        ("User-Agent", _USER_AGENT),
        ("Connection", "close"),
    ]
    if url.userinfo:
        credentials = base64.b64encode(unquote(url.userinfo.decode("ascii")).encode()).decode("ascii")
        headers.append(("Authorization", f"Basic {credentials}"))
    return headers


def _told(status: int) -> str:
    """Say what a receiver has answered. Raises TryAgain and others unless that means success."""
    said = f"answered {status}"
    with suppress(ValueError):
        said += f" {HTTPStatus(status).phrase}"
    if 200 <= status < 300:
        return said
    if 300 <= status < 400:
        raise AddressNotAllowed(f"the receiver {said}, and redirects are not followed")
    if status == HTTPStatus.GONE:  # by which a receiver says that it wants no more, in Standard Webhooks
        raise CannotBeDone(said)
    raise TryAgain(said)
