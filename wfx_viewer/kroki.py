"""Client of a Kroki service, which draws PlantUML: what the reference does for SVG (cli section 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from wfx.commandline.failures import Failure
from wfx.commandline.http_addresses import is_http_address, without_credentials
from wfxctl import bodies, deadline

if TYPE_CHECKING:
    import httpx

_TIMEOUT = 60.0
"""Seconds for the whole exchange, from connecting to the last byte."""
_MOST = 64 * 1024 * 1024
"""Bytes of a picture."""


def draw(url: str, plantuml: str) -> tuple[int, bytes]:
    """Return status and body of the service's answer. Raises Failure if there is none in time."""
    import httpx  # only this format, and only with a service, needs it

    what = f"cannot have {without_credentials(url)} draw the workflow"
    if not is_http_address(url):  # its parts may be those of a password
        raise Failure(f"{what}: that is no address such as https://kroki.io/plantuml/svg")
    try:
        return deadline.begin(lambda: _exchange(url, _form(plantuml)))(_TIMEOUT)
    except (TimeoutError, httpx.TimeoutException) as exc:  # whichever of the two limits is met first
        raise Failure(f"{what}: no complete answer within {_TIMEOUT:g}s") from exc
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, bodies.Unreadable) as exc:
        raise Failure(f"{what}: {exc}") from exc


def _form(plantuml: str) -> bytes:
    """Return a form whose one file is the workflow."""
    boundary = uuid4().hex
    form = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="workflow"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n{plantuml}\r\n--{boundary}--\r\n"
    )
    return form.encode("utf-8", "replace")


def _exchange(url: str, form: bytes) -> tuple[int, bytes]:
    import httpx

    hooks = {"request": [_check_port]}
    with (
        httpx.Client(timeout=_TIMEOUT, trust_env=False, follow_redirects=True, event_hooks=hooks) as client,
        client.stream("POST", url, content=form, headers={"Accept-Encoding": "gzip"}) as answer,
    ):
        pieces = bodies.unpacked(answer.iter_raw(), answer.headers.get("Content-Encoding", ""))
        return answer.status_code, bodies.whole(pieces, _MOST)


def _check_port(request: httpx.Request) -> None:
    """Refuse a port that is none, also where a redirect leads: the resolver would take the rest of a division."""
    import httpx

    port = request.url.port or 0
    if not 0 <= port < 2**16:
        raise httpx.InvalidURL(f"there is no port {port}")
