"""The file server under ``/download``: what it serves, and what it never does (server section 7)."""

from __future__ import annotations

import email.parser
import email.policy
import os
import random
import socket
import subprocess
import threading
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from plugin_programs import PluginDirectory
from rawhttp import Answer, Wire, request

from tests.composition import composed
from tests.waiting import until
from wfx.api.answer_memory import AnswerMemory
from wfx.api.downloads import files
from wfx.api.downloads.file_answer import PIECE
from wfx.demo.local import LocalService
from wfx.request_context import Side

ENGINES = ("uvicorn", "hypercorn")
DEADLINE = 60.0
TEXT = b"0123456789" * 10
LARGE = random.Random(1).randbytes(3_000_000)
OUTSIDE = b"what nobody may read"
PAGE = b"<p>index</p>"


def make_tree(folder: Path) -> Path:
    """A directory to serve, with traps."""
    root = folder / "served"
    (root / "sub").mkdir(parents=True)
    (root / "paged").mkdir()
    (root / "wei<r>d & \"odd'").mkdir()
    (folder / "secret").mkdir()
    (folder / "secret" / "key").write_bytes(OUTSIDE)
    (folder / "served-too").mkdir()
    (folder / "served-too" / "key").write_bytes(OUTSIDE)
    (root / "text.txt").write_bytes(TEXT)
    (root / "large.swu").write_bytes(LARGE)
    (root / "empty.bin").write_bytes(b"")
    (root / "notes").write_bytes(b"plain words\n")
    (root / "blob").write_bytes(b"\0\1\2")
    (root / "page.html").write_bytes(PAGE)
    (root / "a.tar.gz").write_bytes(b"\x1f\x8b\x08")
    (root / "a:b c%41?#").write_bytes(b"odd name")
    (root / "sub" / "deep.json").write_bytes(b"{}")
    (root / "paged" / "index.html").write_bytes(PAGE)
    os.utime(root / "text.txt", (1_700_000_000, 1_700_000_000))
    (root / "inside").symlink_to("sub/deep.json")
    (root / "inside-folder").symlink_to(root / "sub")
    (root / "out-and-in").symlink_to("../served/text.txt")
    (root / "outside").symlink_to("../secret/key")
    (root / "outside-folder").symlink_to(folder / "secret")
    (root / "neighbour").symlink_to(folder / "served-too")
    (root / "root").symlink_to("/")
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nowhere")
    (root / "device").symlink_to("/dev/zero")
    (root / "self").symlink_to("/proc/self/environ")
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as opened:
        before = Path.cwd()
        os.chdir(root)  # the name of a socket may not be long
        opened.bind("sock")
        os.chdir(before)
    return root


@pytest.fixture(scope="module", params=ENGINES)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service of each engine that serves the tree."""
    folder = tmp_path_factory.mktemp(f"downloads-{request.param}")
    root = make_tree(folder)
    with LocalService(folder, f"--simple-fileserver={root}", f"--http-engine={request.param}") as started:
        yield started
        assert not [line for line in started.lines if '"level": "err' in line or "Traceback" in line]


@pytest.fixture(params=["north", "south"])
def port(request: pytest.FixtureRequest, service: LocalService) -> int:
    """The port of each side."""
    return service.ports[request.param]


def ask(port: int, path: str, *headers: str, method: str = "GET") -> Answer:
    """One request, its path as it stands."""
    with Wire(port) as wire:
        wire.send(request(method, path, b"", "Connection: close", *headers))
        if method != "HEAD":
            return wire.answer()
        head = wire.until(b"\r\n\r\n").decode("latin-1").splitlines()
        assert wire.closed(), "an answer to HEAD has no body"
        fields = dict(line.split(": ", 1) for line in head[1:] if line)
        return Answer(int(head[0].split()[1]), {name.lower(): value for name, value in fields.items()}, b"")


def test_whole_file_on_both_sides(port: int) -> None:
    """A file comes byte by byte, with its length, time, tag, and the offer of ranges; HEAD says the same."""
    answer = ask(port, "/download/large.swu?version=1")
    assert (answer.status, answer.body == LARGE) == (200, True)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-type"] == "application/octet-stream"
    head = ask(port, "/download/large.swu", method="HEAD")
    names = ("content-length", "last-modified", "etag", "accept-ranges", "content-type")
    assert head.status == 200
    assert [head.headers[name] for name in names] == [answer.headers[name] for name in names]
    assert ask(port, "/download/text.txt").headers["last-modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"


@pytest.mark.parametrize(("name", "media_type"), [
    ("text.txt", "text/plain; charset=utf-8"), ("notes", "text/plain; charset=utf-8"),
    ("blob", "application/octet-stream"), ("page.html", "text/html; charset=utf-8"),
    ("sub/deep.json", "application/json"), ("a.tar.gz", "application/gzip"),
])  # fmt: skip
def test_types(port: int, name: str, media_type: str) -> None:
    """The type follows from the ending of the name, else from the first bytes; nothing is said to be compressed."""
    answer = ask(port, f"/download/{name}")
    assert (answer.status, answer.headers["content-type"]) == (200, media_type)
    assert "content-encoding" not in answer.headers


REDIRECTS = [
    ("/download", 307, "/download/"), ("/download?a=b", 307, "/download/?a=b"),
    ("/download//text.txt", 307, "/download/text.txt"), ("/download/sub/../text.txt", 307, "/download/text.txt"),
    ("/download/sub", 301, "sub/"), ("/download/sub?q=1", 301, "sub/?q=1"), ("/download/inside-folder", 301,
    "inside-folder/"), ("/download/text.txt/", 301, "../text.txt"), ("/download/paged/index.html", 301, "./"),
    ("/download/wei%3Cr%3Ed%20&%20%22odd'", 301, "wei%3Cr%3Ed%20%26%20%22odd%27/"),
    ("/download/a:b%20c%2541%3F%23/", 301, "../a%3Ab%20c%2541%3F%23"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "status", "place"), REDIRECTS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_redirects(port: int, method: str, path: str, status: int, place: str) -> None:
    """Unclean paths are redirected with 307, directories without and files with a slash, and index pages, with 301."""
    answer = ask(port, path, method=method)
    assert (answer.status, answer.headers["location"]) == (status, place)


def test_listing(port: int) -> None:
    """A directory without an index page is listed in the form of the reference, names escaped; one with it is not."""
    answer = ask(port, "/download/")
    lines = answer.body.decode().splitlines()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert lines[:3] == ["<!doctype html>", '<meta name="viewport" content="width=device-width">', "<pre>"]
    assert lines[-1] == "</pre>"
    names = [unquote(line.split('"')[1]).rstrip("/") for line in lines[3:-1]]
    assert names == sorted(names)
    assert '<a href="sub/">sub/</a>' in lines
    assert '<a href="a%3Ab%20c%2541%3F%23">a:b c%41?#</a>' in lines
    assert '<a href="wei%3Cr%3Ed%20%26%20%22odd%27/">wei&lt;r&gt;d &amp; &#34;odd&#39;/</a>' in lines
    page = ask(port, "/download/paged/")
    assert (page.body, page.headers["content-type"]) == (PAGE, "text/html; charset=utf-8")
    assert ask(port, "/download/", f"If-Modified-Since: {formatdate(2e9, usegmt=True)}").status == 304


def test_pages_cannot_act_on_the_api(port: int) -> None:
    """A page among the files is shown apart from the API's origin, so that its scripts cannot act for an operator."""
    answer = ask(port, "/download/page.html")
    assert answer.headers["content-security-policy"].startswith("sandbox ")
    assert "allow-same-origin" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


TRAVERSALS = [
    "/download/../secret/key", "/download/..%2fsecret/key", "/download/%2e%2e/secret/key",
    "/download/%2e%2e%2fsecret%2fkey", "/download/sub/%2e%2e/%2e%2e/secret/key", "/download/%2E%2E/secret/key",
    "/download/..%5csecret%5ckey", "/download/.%2e/secret/key", "/download/%252e%252e/secret/key",
    "/download//etc/passwd", "/download/%2fetc%2fpasswd", "/download/%2Fetc/passwd", "/download/..;/secret/key",
    "/download/sub%2fdeep.json", "/download/text.txt%00", "/download/%00", "/download/text.txt%00.html",
    "/download/%c0%ae%c0%ae/secret/key", "/download/%uff0e%uff0e/secret/key", "/download/....//secret/key",
    "/download/outside", "/download/outside-folder/key", "/download/outside-folder/", "/download/outside-folder",
    "/download/neighbour/key", "/download/neighbour/", "/download/root/etc/passwd", "/download/root/",
    "/download/loop", "/download/dangling", "/download/device", "/download/self", "/download/fifo", "/download/sock",
    "/download/fifo/", "/download/text.txt/x", "/download/" + "a" * 300, "/download/" + "a/" * 3000,
    "/download/served-too/key", "/download/inside/../../secret/key", "/download/missing", "/download/%ff",
]  # fmt: skip


@pytest.mark.parametrize("path", TRAVERSALS)
def test_nothing_outside_is_served(port: int, path: str) -> None:
    """Row 54: no spelling and no link leads out of the directory; devices, FIFOs and sockets are not there either."""
    for _ in range(5):
        answer = ask(port, path)
        assert OUTSIDE not in answer.body
        assert b"root:" not in answer.body
        if answer.status != 307:
            break
        path = answer.headers["location"]
    assert answer.status == 404
    if path.startswith("/download/"):
        assert (answer.body, answer.headers["content-type"]) == (b"404 page not found\n", "text/plain; charset=utf-8")


def test_links_inside(port: int) -> None:
    """Links to files and directories within the directory are followed, also by way of the outside."""
    assert ask(port, "/download/inside").body == b"{}"
    assert ask(port, "/download/inside-folder/deep.json").body == b"{}"
    assert ask(port, "/download/out-and-in").body == TEXT
    assert ask(port, "/download/a:b%20c%2541%3F%23").body == b"odd name"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods(port: int, method: str) -> None:
    """Files can be read only."""
    answer = ask(port, "/download/text.txt", method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


SIZE = len(TEXT)


@pytest.mark.parametrize(("value", "start", "end"), [
    ("bytes=0-0", 0, 1), ("bytes=5-9", 5, 10), ("bytes=90-", 90, SIZE), ("bytes=-7", SIZE - 7, SIZE),
    ("bytes=95-1000", 95, SIZE), ("bytes=-1000", 0, SIZE), ("Bytes = 5 - 9", 5, 10), ("bytes=,5-9,", 5, 10),
    ("bytes=0000000000000000000000000005-9", 5, 10), ("bytes=5-" + "9" * 5000, 5, SIZE), ("bytes=5-9,500-", 5, 10),
])  # fmt: skip
def test_single_ranges(port: int, value: str, start: int, end: int) -> None:
    """A range, also one at the end or beyond it, is answered with just these bytes, and says which they are."""
    answer = ask(port, "/download/text.txt", f"Range: {value}")
    assert (answer.status, answer.body) == (206, TEXT[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def parts_of(answer: Answer) -> list[tuple[str, bytes]]:
    """The parts of an answer with several ranges."""
    raw = b"Content-Type: " + answer.headers["content-type"].encode() + b"\r\n\r\n" + answer.body
    parsed = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(raw)
    return [(part["Content-Range"], part.get_payload(decode=True)) for part in parsed.iter_parts()]


def test_several_ranges(port: int) -> None:
    """Several ranges come in the order asked for, overlapping ones too, as long as they are no more than the file."""
    answer = ask(port, "/download/text.txt", "Range: bytes=90-, 0-4,2-6")
    assert answer.status == 206
    assert parts_of(answer) == [
        (f"bytes 90-99/{SIZE}", TEXT[90:]), (f"bytes 0-4/{SIZE}", TEXT[:5]), (f"bytes 2-6/{SIZE}", TEXT[2:7]),
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["items=0-4", "bytes=0-99,0-99", "bytes=" + ",".join(["0-"] * 100)])
def test_ranges_passed_over(port: int, value: str) -> None:
    """Other units, and ranges that together are more than the file, are answered with the file, once."""
    answer = ask(port, "/download/text.txt", f"Range: {value}")
    assert (answer.status, answer.body) == (200, TEXT)


@pytest.mark.parametrize("value", [
    "bytes=100-", "bytes=100-200", "bytes=-0", "bytes=9-5", "bytes=", "bytes", "bytes=-", "bytes=a-b", "bytes=+1-2",
    "bytes=1-2-3", "bytes=0x1-2", "bytes=500-,600-", "bytes=" + ",".join(["0-0"] * 101),
    "bytes=" + ",".join(f"{number}-{number}" for number in range(10_000)), "bytes=" + "0-," * 10_000,
])  # fmt: skip
def test_unsatisfiable_ranges(port: int, value: str) -> None:
    """Row 54: ranges beyond the end, that are none, or that are more than 100, are refused and the size is told."""
    answer = ask(port, "/download/text.txt", f"Range: {value}")
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{SIZE}")


def test_empty_file(port: int) -> None:
    """An empty file has no ranges, and is sent as it is."""
    answer = ask(port, "/download/empty.bin", "Range: bytes=0-")
    assert (answer.status, answer.body) == (200, b"")


DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
EARLIER = "Tue, 14 Nov 2023 22:13:19 GMT"
STATUSES = [
    (200, ('If-None-Match: "other"',)), (304, ("If-None-Match: {tag}",)), (304, ("If-None-Match: W/{tag}",)),
    (304, ('If-None-Match: "a", {tag}, "b"',)), (304, ('If-None-Match: "a"', "If-None-Match: {tag}")),
    (304, ("If-None-Match: *",)), (200, ("If-None-Match: garbage",)),
    (304, (f"If-Modified-Since: {DATE}",)), (200, (f"If-Modified-Since: {EARLIER}",)),
    (304, ("If-Modified-Since: Tuesday, 14-Nov-23 22:13:20 GMT",)), (304, ("If-Modified-Since: Tue Nov 14 22:13:20 2023"
    ,)), (200, ("If-Modified-Since: yesterday",)), (200, (f"If-Modified-Since: {DATE}", 'If-None-Match: "other"')),
    (200, ("If-Match: {tag}",)), (200, ("If-Match: *",)), (412, ('If-Match: "other"',)), (412, ("If-Match: W/{tag}",)),
    (200, (f"If-Unmodified-Since: {DATE}",)), (412, (f"If-Unmodified-Since: {EARLIER}",)),
    (206, ("Range: bytes=0-4", "If-Range: {tag}")), (206, ("Range: bytes=0-4", f"If-Range: {DATE}")),
    (200, ("Range: bytes=0-4", 'If-Range: "other"')), (200, ("Range: bytes=0-4", f"If-Range: {EARLIER}")),
    (200, ("Range: bytes=0-4", "If-Range: W/{tag}")), (200, ("Range: bytes=0-4", "If-Range:")),
    (304, ("Range: bytes=0-4", "If-None-Match: {tag}")),
]  # fmt: skip


@pytest.mark.parametrize(("status", "conditions"), STATUSES)
def test_conditions(port: int, status: int, conditions: tuple[str, ...]) -> None:
    """Tags and times of a version decide whether it is sent, as RFC 9110 says; HEAD is told the same."""
    tag = ask(port, "/download/text.txt", method="HEAD").headers["etag"]
    headers = [condition.replace("{tag}", tag) for condition in conditions]
    answer = ask(port, "/download/text.txt", *headers)
    assert answer.status == status
    assert answer.headers["etag"] == tag
    assert len(answer.body) == {200: SIZE, 206: 5}.get(status, 0)
    expected = 200 if status == 206 else status  # a range of an answer to HEAD means nothing
    assert ask(port, "/download/text.txt", *headers, method="HEAD").status == expected


def test_resumption_by_curl(service: LocalService, tmp_path: Path) -> None:
    """``curl -C -`` goes on where a download broke off, and the result is the file."""
    copy = tmp_path / "copy"
    copy.write_bytes(LARGE[:1_234_567])
    subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", "-C", "-", "-o", copy, f"{service.south}/download/large.swu"],
        check=True, timeout=DEADLINE,
    )  # fmt: skip
    assert copy.read_bytes() == LARGE


@pytest.mark.parametrize("engine", ENGINES)
async def test_directory_may_change(engine: str, tmp_path: Path) -> None:
    """Which directory is served, and whether one is, may change while the service runs; also that it is taken away."""
    roots = [tmp_path / name for name in ("one", "two")]
    for root in roots:
        root.mkdir()
        (root / "name").write_text(root.name)
    async with composed(tmp_path, http_engine=engine) as running, httpx.AsyncClient(trust_env=False) as client:
        url = f"http://127.0.0.1:{running.ports[Side.SOUTH]}/download/name"
        assert "not enabled" in (await client.get(url)).text
        for root in roots:
            running.tune(simple_fileserver=str(root))
            assert (await client.get(url)).text == root.name
        roots[1].rename(tmp_path / "gone")
        assert (await client.get(url)).text == "404 page not found\n"
        running.tune(simple_fileserver="")
        answer = await client.get(url)
        assert (answer.status_code, answer.json()["code"]) == (404, 404)


@pytest.mark.parametrize("engine", ENGINES)
async def test_file_that_shrinks(engine: str, tmp_path: Path) -> None:
    """A download whose file becomes shorter meanwhile is broken off, never taken for complete."""
    root = tmp_path / "served"
    root.mkdir()
    size = 50_000_000
    with (root / "file").open("wb") as file:
        file.truncate(size)
    async with composed(tmp_path, http_engine=engine, simple_fileserver=str(root)) as running:
        connection = await running.connect(Side.SOUTH, request("GET", "/download/file"))
        assert b" 200 " in await connection.until(b"\r\n\r\n")
        os.truncate(root / "file", 100)
        try:
            received = len(await connection.rest())
        except ConnectionResetError:
            received = 0
        assert received < size


@pytest.mark.parametrize("engine", ENGINES)
async def test_descriptors_are_closed(engine: str, tmp_path: Path) -> None:
    """Complete downloads, refused ones and those that clients leave keep no file open."""
    root = make_tree(tmp_path)
    (root / "huge").touch()
    os.truncate(root / "huge", 100_000_000)
    async with composed(tmp_path, http_engine=engine, simple_fileserver=str(root)) as running:

        def opened() -> list[str]:
            places = [str(link.resolve()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
            return [place for place in places if place.startswith(str(root))]

        for path in ("text.txt", "missing", "outside", "fifo", "", "sub", "paged/", "huge"):
            connection = await running.connect(Side.NORTH, request("GET", f"/download/{path}"))
            await connection.until(b"\r\n")
            connection.writer.transport.abort()
        await until(lambda: not opened())


def test_other_requests_are_answered_meanwhile(service: LocalService) -> None:
    """Clients that take their download slowly, or not at all, hold up nobody: others get files and answers."""
    waiting = [Wire(service.ports["south"]) for _ in range(50)]
    try:
        for wire in waiting:
            wire.send(request("GET", "/download/large.swu"))
            assert wire.until(b"\r\n").startswith(b"HTTP/1.1 200 ")
        assert ask(service.ports["south"], "/api/wfx/v1/jobs").status == 200
        assert ask(service.ports["north"], "/download/large.swu").body == LARGE
    finally:
        for wire in waiting:
            wire.socket.close()


@pytest.mark.parametrize("engine", ENGINES)
async def test_clients_that_take_nothing_make_room(engine: str, tmp_path: Path) -> None:
    """All pieces on their way have bounded memory: those who take nothing are cut off when others need room."""
    root = make_tree(tmp_path)
    (root / "huge").touch()
    os.truncate(root / "huge", 100_000_000)
    async with composed(tmp_path, http_engine=engine, simple_fileserver=str(root)) as running:
        downloads: Any = running.parts.services.downloads
        memory = downloads._memory = AnswerMemory(3 * PIECE, stall=0.2)
        idle = [await running.connect(Side.SOUTH, request("GET", "/download/huge")) for _ in range(3)]
        for connection in idle:
            assert b" 200 " in await connection.until(b"\r\n\r\n")
        await until(lambda: memory.held == 3 * PIECE)
        other = await running.connect(Side.SOUTH, request("GET", "/download/large.swu", b"", "Connection: close"))
        assert (await other.rest()).endswith(LARGE)
        await other.close()
        for connection in idle:
            connection.writer.transport.abort()
        await until(lambda: memory.held == 0)


@pytest.mark.parametrize("engine", ENGINES)
async def test_time_to_take_a_file_ends(engine: str, tmp_path: Path) -> None:
    """A client that takes nothing for longer than the write timeout is cut off, and its file closed."""
    root = make_tree(tmp_path)
    (root / "huge").touch()
    os.truncate(root / "huge", 100_000_000)
    settings = {"simple_fileserver": str(root), "write_timeout": 0.5}
    async with composed(tmp_path, http_engine=engine, **settings) as running:
        connection = await running.connect(Side.SOUTH, request("GET", "/download/huge"))
        assert b" 200 " in await connection.until(b"\r\n\r\n")
        downloads: Any = running.parts.services.downloads
        await until(lambda: downloads._memory.held == 0)
        connection.writer.transport.abort()


def test_http2(service: LocalService) -> None:
    """Over HTTP/2, which hypercorn offers, the answers are the same."""
    with httpx.Client(http1=False, http2=True, trust_env=False) as client:
        url = f"{service.south}/download/text.txt"
        try:
            answer = client.get(url)
        except httpx.RemoteProtocolError:
            assert "uvicorn" in str(service.options)
            return
        assert (answer.http_version, answer.content) == ("HTTP/2", TEXT)
        assert client.get(url, headers={"Range": "bytes=1-2"}).content == TEXT[1:3]
        assert len(client.get(url, headers={"Range": "bytes=1-2,5-6"}).content) > 4
        assert client.get(url, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
        assert client.head(url).headers["content-length"] == str(SIZE)
        assert client.get(f"{service.south}/download/large.swu").content == LARGE
        assert client.get(url + "/../../secret/key").status_code in (307, 404)


@pytest.mark.parametrize("engine", ENGINES)
def test_stopping_with_downloads_under_way(engine: str, tmp_path: Path) -> None:
    """A service that is told to stop while clients take nothing ends in order after the graceful time."""
    root = make_tree(tmp_path)
    options = (f"--simple-fileserver={root}", "--graceful-timeout=200ms", f"--http-engine={engine}")
    (root / "huge").touch()
    os.truncate(root / "huge", 100_000_000)
    service = LocalService(tmp_path, *options).start()
    wires = [Wire(service.ports["south"]) for _ in range(5)]
    for wire in wires:
        wire.send(request("GET", "/download/huge"))
        assert b" 200 " in wire.until(b"\r\n\r\n")
    assert service.process is not None
    service.stop()
    for wire in wires:
        wire.socket.close()
    assert service.process.returncode == 0
    assert not [line for line in service.lines if "Traceback" in line or "unexpected" in line]


@pytest.mark.parametrize("engine", ENGINES)
def test_plugins_decide_on_downloads(engine: str, tmp_path: Path) -> None:
    """A plugin sees requests for files, and what it denies is not served."""
    root = make_tree(tmp_path)
    plugins = tmp_path / "plugins"
    plugins.mkdir(mode=0o755)
    PluginDirectory(plugins).sdk("gate", """
        def gate(request):
            if "text" in request.destination:
                return Respond(Status.DENY, b"no\\n", {"X-Seen": request.destination})
            return PASS
        run(gate)
    """)  # fmt: skip
    options = (f"--simple-fileserver={root}", f"--client-plugins-dir={plugins}", f"--http-engine={engine}")
    with LocalService(tmp_path, *options) as service:
        denied = ask(service.ports["south"], "/download/text.txt?x=1")
        assert (denied.status, denied.body) == (403, b"no\n")
        assert denied.headers["x-seen"] == "/download/text.txt?x=1"
        assert ask(service.ports["south"], "/download/large.swu").body == LARGE
        assert ask(service.ports["north"], "/download/text.txt").body == TEXT, "that side has no plugins"


def test_swapping_a_file_for_a_link(tmp_path: Path) -> None:
    """Row 54: while a name is swapped between a file and a link that leads out, only the file is ever opened."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_bytes(OUTSIDE)
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            (root / "new").write_bytes(TEXT)
            (root / "new").replace(root / "name")
            (root / "new").symlink_to(tmp_path / "secret")
            (root / "new").replace(root / "name")

    swapping = threading.Thread(target=swap)
    swapping.start()
    outcomes = {"served": 0, "refused": 0}
    try:
        while min(outcomes.values()) < 50:
            try:
                file = files.open_below(str(root), [b"name"])
            except files.NoSuchFile:
                outcomes["refused"] += 1
                continue
            found = file.read(0, 1000)
            file.close()
            assert found in (TEXT, b"")
            outcomes["served"] += found == TEXT
    finally:
        over.set()
        swapping.join(DEADLINE)


def test_long_listings_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a directory with very many names, some are listed, and the page says that there are more."""
    from wfx.api.downloads import listing

    monkeypatch.setattr(files, "MOST_NAMES", 3)
    monkeypatch.setattr(listing, "MOST_NAMES", 3)
    for number in range(5):
        (tmp_path / str(number)).touch()
    folder = files.open_below(str(tmp_path), [])
    page = listing.page(folder.names()).decode()
    folder.close()
    assert page.count("<a ") == 3
    assert "the rest is not listed" in page
