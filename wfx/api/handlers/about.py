"""Handlers of version, health, and the API documents."""

from __future__ import annotations

from wfx.api import spec
from wfx.api.call import Call
from wfx.api.reply import Reply, json_reply
from wfx.domain.json import encode
from wfx.domain.timestamp import rfc3339
from wfx.version import API_VERSION, COMMIT, VERSION

_NEVER_CACHED = (
    (b"cache-control", b"no-cache"),
    (b"pragma", b"no-cache"),
    (b"expires", b"Thu, 01 Jan 1970 00:00:00 GMT"),
)
_NO_DOWNLOADS = {"code": 404, "message": "path /download is not served as simple file server is not enabled"}


async def index(call: Call) -> Reply:
    """GET /: an empty answer that links to the OpenAPI document."""
    host = call.request.headers.get("host") or call.request.url.netloc
    url = f"{call.request.url.scheme}://{host}/api/wfx/{API_VERSION}/openapi.json"
    return Reply(204, headers=((b"link", f'<{url}>; rel="service-desc"'.encode("latin-1", "replace")),))


async def version(_call: Call) -> Reply:
    """GET /version."""
    return json_reply(encode({"apiVersion": API_VERSION, "commit": COMMIT, "version": VERSION}))


async def health(call: Call) -> Reply:
    """GET /health: 200 when up, 503 when not."""
    report = await call.services.health.report()
    status = "up" if report.up else "down"
    persistence = {"status": status, "timestamp": rfc3339(report.checked)}
    if report.error:
        persistence["error"] = report.error
    body = encode({"details": {"persistence": persistence}, "status": status})
    return json_reply(body, 200 if report.up else 503, _NEVER_CACHED)


async def openapi(_call: Call) -> Reply:
    """GET openapi.json and openapiv3.json: the document everything is checked against."""
    return json_reply(spec.openapi_json())


async def swagger(_call: Call) -> Reply:
    """GET swagger.json: the older form, which some devices read at start-up."""
    return json_reply(spec.swagger_json())


async def no_download(_call: Call) -> Reply:
    """GET /download/…: the file server is off (rest-api section 12)."""
    return Reply(404, encode(_NO_DOWNLOADS), ((b"content-type", b"text/plain; charset=utf-8"),))
