"""Handlers of version, health, and the API documents."""

from __future__ import annotations

from wfx.api import spec
from wfx.api.reply import Reply, json_reply
from wfx.api.request import ApiRequest
from wfx.domain.json import encode
from wfx.domain.timestamp import rfc3339
from wfx.version import API_VERSION, COMMIT, VERSION

_NEVER_CACHED = (
    (b"cache-control", b"no-cache"),
    (b"pragma", b"no-cache"),
    (b"expires", b"Thu, 01 Jan 1970 00:00:00 GMT"),
)


async def index(request: ApiRequest) -> Reply:
    """GET /: an empty answer that links to the OpenAPI document."""
    host = request.http.headers.get("host") or request.http.url.netloc
    url = f"{request.http.url.scheme}://{host}/api/wfx/{API_VERSION}/openapi.json"
    return Reply(204, headers=((b"link", f'<{url}>; rel="service-desc"'.encode("latin-1", "replace")),))


async def version(_request: ApiRequest) -> Reply:
    """GET /version."""
    return json_reply(encode({"apiVersion": API_VERSION, "commit": COMMIT, "version": VERSION}))


async def health(request: ApiRequest) -> Reply:
    """GET /health: 200 when up, 503 when not."""
    report = await request.services.health.report()
    status = "up" if report.up else "down"
    persistence = {"status": status, "timestamp": rfc3339(report.checked)}
    if report.error:
        persistence["error"] = report.error
    body = encode({"details": {"persistence": persistence}, "status": status})
    return json_reply(body, 200 if report.up else 503, _NEVER_CACHED)


async def openapi(_request: ApiRequest) -> Reply:
    """GET openapi.json and openapiv3.json: the document everything is checked against."""
    return json_reply(spec.openapi_json())


async def fleet_openapi(_request: ApiRequest) -> Reply:
    """GET openapi.json of the fleet API."""
    return json_reply(spec.openapi_json(spec.FLEET))


async def rules_openapi(_request: ApiRequest) -> Reply:
    """GET openapi.json of the API of rules."""
    return json_reply(spec.openapi_json(spec.RULES))


async def swagger(_request: ApiRequest) -> Reply:
    """GET swagger.json: the older form, which some devices read at start-up."""
    return json_reply(spec.swagger_json())
