"""Client of a Kroki service, which draws PlantUML: what the reference does for SVG (cli section 10)."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from wfx.client import bodies
from wfx.client.errors import Unreadable
from wfx.commandline.failures import Failure
from wfx.commandline.http_addresses import is_http_address, without_credentials
from wfxctl import deadline

if TYPE_CHECKING:
    import httpx

_TIMEOUT = 60.0
"""Seconds for the whole exchange, from connecting to the last byte."""
_MOST_REDIRECTS = 10
_MOST = 64 * 1024 * 1024
"""Bytes of a picture."""


class Drawn(NamedTuple):
    """What a service answered."""

    address: str
    """Where redirects led, for messages."""
    status: int
    picture: bytes


def draw(url: str, plantuml: str) -> Drawn:
    """Return the service's answer. Raises Failure if there is none in time, or if it is to come from another host."""
    import httpx  # only this format, and only with a service, needs it

    what = f"cannot have {shown(url)} draw the workflow"
    if not is_http_address(url):  # its parts may be those of a password
        raise Failure(f"{what}: that is no address such as https://kroki.io/plantuml/svg")
    try:
        return deadline.begin(lambda: _exchange(url, _form(plantuml)))(_TIMEOUT)
    except (TimeoutError, httpx.TimeoutException) as exc:  # whichever of the two limits is met first
        raise Failure(f"{what}: no complete answer within {_TIMEOUT:g}s") from exc
    except _RedirectRefused as exc:
        raise Failure(f"{what}: {exc}") from exc
    except httpx.RequestError as exc:
        led_to = "" if exc.request.url == httpx.URL(url) else f"it redirects to {shown(str(exc.request.url))}: "
        raise Failure(f"{what}: {led_to}{exc}") from exc
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, Unreadable) as exc:
        raise Failure(f"{what}: {exc}") from exc


def _form(plantuml: str) -> bytes:
    """Return a form whose one file is the workflow."""
    boundary = uuid4().hex
    form = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="workflow"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n{plantuml}\r\n--{boundary}--\r\n"
    )
    return form.encode("utf-8", "replace")


def _exchange(url: str, form: bytes) -> Drawn:
    import httpx

    with httpx.Client(timeout=_TIMEOUT, trust_env=False, event_hooks={"request": [_check_port]}) as client:
        request = client.build_request("POST", url, content=form, headers={"Accept-Encoding": "gzip"})
        for _ in range(_MOST_REDIRECTS + 1):
            with closing(client.send(request, stream=True)) as answer:
                if answer.next_request is None:
                    pieces = bodies.unpacked(answer.iter_raw(), answer.headers.get("Content-Encoding", ""))
                    return Drawn(shown(str(request.url)), answer.status_code, bodies.whole(pieces, _MOST))
            _check_host(request, answer.next_request)
            request = answer.next_request
        raise httpx.TooManyRedirects(f"more than {_MOST_REDIRECTS} redirects", request=request)


def shown(url: str) -> str:
    """Return an address for messages, without what may be secret: name and password, and the values of its query."""
    address, mark, _ = without_credentials(url).partition("?")
    return f"{address}?…" if mark else address


class _RedirectRefused(Exception):
    """A redirect leads to another host, or away from TLS: nobody has asked to send the workflow there."""


def _check_host(request: httpx.Request, following: httpx.Request) -> None:
    """Let redirects lead to other paths and ports, and to HTTPS. Raises _RedirectRefused."""
    if following.url.host != request.url.host:
        reason = "on another host"
    elif (request.url.scheme, following.url.scheme) == ("https", "http"):
        reason = "without TLS"
    else:
        return
    raise _RedirectRefused(
        f"it redirects to {shown(str(following.url))}, {reason}: give that as --kroki-url if the workflow may go there"
    )


def _check_port(request: httpx.Request) -> None:
    """Refuse a port beyond 65535, also of a redirect: the resolver would take it modulo 65536."""
    import httpx

    port = request.url.port or 0
    if not 0 <= port < 2**16:
        raise httpx.InvalidURL(f"there is no port {port}")
