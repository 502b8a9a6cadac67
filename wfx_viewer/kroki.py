"""Client of a Kroki service, which draws PlantUML: what the reference does for SVG (cli section 10)."""

from __future__ import annotations

from uuid import uuid4

from wfx.commandline.failures import Failure

_TIMEOUT = 60.0
_MOST = 64 * 1024 * 1024
"""Bytes of a picture."""


def draw(url: str, plantuml: str) -> tuple[int, bytes]:
    """Return status and body of the service's answer. Raises Failure if there is none."""
    import httpx  # only this format, and only with a service, needs it

    boundary = uuid4().hex
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="workflow"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n{plantuml}\r\n--{boundary}--\r\n"
    )
    picture = bytearray()
    try:
        with httpx.stream(
            "POST", url, content=body.encode("utf-8", "replace"), timeout=_TIMEOUT, follow_redirects=True
        ) as answer:
            for piece in answer.iter_bytes():
                picture += piece
                if len(picture) > _MOST:
                    raise Failure(f"the answer of {url} is larger than {_MOST} bytes")
            return answer.status_code, bytes(picture)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise Failure(f"cannot have {url} draw the workflow: {exc}") from exc
