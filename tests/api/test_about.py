"""What the service says about itself (rest-api section 12, server section 5)."""

from __future__ import annotations

import json

import httpx
import pytest

from wfx.demo.local import LocalService
from wfx.version import VERSION

BASE = "/api/wfx/v1"


@pytest.fixture(params=["north", "south"])
def side(request: pytest.FixtureRequest, service: LocalService) -> str:
    """The address of each side in turn."""
    return service.north if request.param == "north" else service.south


def test_index_links_to_the_document(side: str) -> None:
    """The root is empty and links to the OpenAPI document under the name the caller used."""
    answer = httpx.get(side, headers={"Host": "wfx.example:99"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["link"] == f'<http://wfx.example:99{BASE}/openapi.json>; rel="service-desc"'


@pytest.mark.parametrize("prefix", ["", BASE])
def test_version(side: str, prefix: str) -> None:
    """Version is told at the root and below the base path."""
    answer = httpx.get(f"{side}{prefix}/version")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {"apiVersion": "v1", "commit": answer.json()["commit"], "version": VERSION}


@pytest.mark.parametrize("prefix", ["", BASE])
def test_health(side: str, prefix: str) -> None:
    """A healthy service is up with 200 and must not be cached."""
    answer = httpx.get(f"{side}{prefix}/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == answer.json()["details"]["persistence"]["status"] == "up"
    assert answer.headers["cache-control"] == answer.headers["pragma"] == "no-cache"
    assert answer.headers["expires"] == "Thu, 01 Jan 1970 00:00:00 GMT"


def test_openapi_document(side: str) -> None:
    """Both names serve the same bytes: an OpenAPI 3.0.0 document."""
    first, second = httpx.get(f"{side}{BASE}/openapi.json"), httpx.get(f"{side}{BASE}/openapiv3.json")
    assert first.content == second.content
    assert first.headers["content-type"] == "application/json"
    assert first.json()["openapi"] == "3.0.0"
    assert first.content.startswith(b"{\n  "), "indented, for people"


def test_swagger_document(side: str) -> None:
    """swagger.json has the limits of a status inline, where devices look for them at start-up."""
    properties = json.loads(httpx.get(f"{side}{BASE}/swagger.json").content)["definitions"]["JobStatus"]["properties"]
    assert properties["message"]["maxLength"] == 1024
    assert properties["progress"]["maximum"] == 100
    assert properties["context"]["maxLength"] == 20000
    assert {"state", "clientId"} <= properties.keys()


@pytest.mark.parametrize("path", ["/download/", "/download/file.bin"])
def test_no_file_server(side: str, path: str) -> None:
    """Without a file server, downloads are answered with exactly the contract's text."""
    answer = httpx.get(side + path)
    expected = '{"code":404,"message":"path /download is not served as simple file server is not enabled"}'
    assert (answer.status_code, answer.text) == (404, expected)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
