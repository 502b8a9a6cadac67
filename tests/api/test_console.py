"""How the console is served (server section 10)."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from wfx.api.console import assets, codings
from wfx.demo.local import LocalService

FIRST_LOAD = 150_000
"""Bytes that a browser may have to fetch before it shows the first page."""


@pytest.fixture
def north(service: LocalService) -> Iterator[httpx.Client]:
    """A client that follows nothing and takes nothing compressed."""
    with httpx.Client(base_url=service.north, trust_env=False, headers={"Accept-Encoding": "identity"}) as client:
        yield client


def files(north: httpx.Client) -> list[str]:
    """The files that the page names, below ``/ui/``."""
    return re.findall(r'(?:src|href)="\./([^"]+)"', north.get("/ui/").text)


def test_the_way_in(north: httpx.Client) -> None:
    """``/ui`` leads to ``/ui/``, also behind a gateway that takes a prefix away."""
    answer = north.get("/ui")
    assert answer.status_code == 301
    for prefix in ("", "/wfx"):
        assert str(httpx.URL(f"http://gateway{prefix}/ui").join(answer.headers["location"])).endswith(f"y{prefix}/ui/")


@pytest.mark.parametrize("path", ["/ui/", "/ui/jobs", "/ui/jobs/x", "/ui/index.html", "/ui/" + "0" * 64 + ".mjs"])
def test_every_path_is_the_page(north: httpx.Client, path: str) -> None:
    """Every path below ``/ui/`` that is no file is the page, which nobody stores."""
    answer = north.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.startswith("<!doctype html>")
    assert "{{" not in answer.text


def test_files_with_a_hash(north: httpx.Client) -> None:
    """Script and style are named by their hashes and kept for a year."""
    named = [name for name in files(north) if name != "logo.svg"]
    assert len(named) == 2
    for name in named:
        assert re.fullmatch(r"[0-9a-f]{64}\.(mjs|css)", name)
        answer = north.get(f"/ui/{name}")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].split(";")[0] in ("text/javascript", "text/css")


@pytest.mark.parametrize("path", ["/ui/logo.svg", "/favicon.ico"])
def test_logo(north: httpx.Client, path: str) -> None:
    """The logo is an SVG, also where browsers look for an icon, and is kept for a day."""
    answer = north.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["cache-control"] == "public, max-age=86400"


@pytest.mark.parametrize("path", ["/ui/", "/ui/logo.svg"])
def test_only_reading(north: httpx.Client, path: str) -> None:
    """HEAD tells the length without a body; methods that change something are a 405."""
    whole, head = north.get(path), north.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = north.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_the_client_side_has_none(service: LocalService) -> None:
    """Devices find nothing there."""
    for path in ("/ui", "/ui/", "/ui/logo.svg", "/favicon.ico"):
        answer = httpx.get(service.south + path, trust_env=False)
        assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize("path", ["/ui/", "/ui/logo.svg", "/favicon.ico"])
def test_what_pages_may_do(north: httpx.Client, path: str) -> None:
    """Every answer keeps the page from running foreign code, asking foreign hosts and being framed."""
    headers = north.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["style-src"] == policy["worker-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_compressed(north: httpx.Client, coding: str) -> None:
    """Files come compressed to those who take that, with a tag of their own for each form."""
    name = files(north)[-1]
    plain = north.get(f"/ui/{name}")
    with north.stream("GET", f"/ui/{name}", headers={"Accept-Encoding": coding}) as answer:
        packed = b"".join(answer.iter_raw())
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == (coding, "Accept-Encoding")
    assert answer.headers["etag"] != plain.headers["etag"]
    assert len(packed) < len(plain.content) / 2
    if coding == "gzip":
        assert gzip.decompress(packed) == plain.content


def test_a_tag_is_recognised(north: httpx.Client) -> None:
    """Who has a file already is told so."""
    tag = north.get("/ui/logo.svg").headers["etag"]
    answer = north.get("/ui/logo.svg", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_weight(north: httpx.Client) -> None:
    """The first page needs less than 150 kB in all, its worker included."""
    whole = len(north.get("/ui/").content)
    built = assets.built_assets()
    assert built is not None
    whole += sum(len(each.forms[b"br"]) for each in built.files.values())
    assert whole < FIRST_LOAD


@pytest.mark.parametrize(("accepted", "chosen"), [
    ("", "identity"), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "br"), ("br;q=0, gzip", "gzip"), ("*", "br"),
    ("GZIP", "gzip"), ("*;q=0", "identity"), ("br;q=0.000, *", "gzip"), ("deflate", "identity"), (",;,", "identity"),
    ("br; q=0.1", "br"), ("x," * 5000, "identity"),
])  # fmt: skip
def test_codings(accepted: str, chosen: str) -> None:
    """The smallest form that a client takes is sent."""
    assert codings.chosen(accepted.encode(), {b"identity": b"", b"gzip": b"", b"br": b""}).decode() == chosen


def test_what_was_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service without the console runs, and tells how to get one."""
    from wfx.api.console import app

    assert assets.read(tmp_path) is None
    monkeypatch.setattr(app.assets, "built_assets", lambda: None)
    scope: dict[str, Any] = {"method": "GET", "raw_path": b"/ui/jobs", "headers": [], "root_path": "/ui"}
    answer = app._found(scope)
    assert answer.status_code == 404
    assert b"make console" in answer.body
