"""Downloads of the example devices: they go on where they broke off, over the service's own file server."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from wfx.demo.download import ATTEMPTS, Download
from wfx.demo.local import LocalService

FILE = random.Random(2).randbytes(2_000_000)
OTHER = random.Random(3).randbytes(2_000_000)


class Kept:
    """Keeps what arrives, and counts what came over the wire."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.total = 0

    def write(self, data: bytes) -> None:
        """Keep a piece."""
        self.data += data
        self.total += len(data)

    def restart(self) -> None:
        """Keep nothing."""
        self.data.clear()


class Cutting:
    """A relay that cuts each connection after so many bytes of answers; the last one is left alone."""

    def __init__(self, port: int, cuts: list[int]) -> None:
        """Listen before that port."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._target, self._cuts = port, iter(cuts)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(client, next(self._cuts, 1 << 60)), daemon=True).start()

    def _relay(self, client: socket.socket, left: int) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target)) as server, suppress(OSError):
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
            while left and (data := server.recv(min(left, 65_536))):
                client.sendall(data)
                left -= len(data)
            for end in (client, server):
                end.shutdown(socket.SHUT_RDWR)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                server.sendall(data)


@pytest.fixture(scope="module", params=["uvicorn", "hypercorn"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A service of each engine with a file."""
    folder = tmp_path_factory.mktemp(f"files-{request.param}")
    (folder / "files").mkdir()
    with LocalService(folder, f"--simple-fileserver={folder}/files", f"--http-engine={request.param}") as started:
        yield started


@pytest.fixture
def file(service: LocalService) -> Path:
    """The file as it should be."""
    path = service.folder / "files" / "image.swu"
    path.write_bytes(FILE)
    return path


def test_going_on(service: LocalService, file: Path) -> None:
    """Cut off again and again, a download asks for the rest only, and the result is the file."""
    relay, kept, pauses = Cutting(service.ports["south"], [700_000, 100_000, 20, 500_000]), Kept(), list[float]()
    with httpx.Client(trust_env=False) as client:
        told = [*Download(f"http://127.0.0.1:{relay.port}/download/{file.name}", kept, pauses.append).run(client)]
    assert kept.data == FILE
    assert kept.total == len(FILE), "nothing came twice"
    assert len(pauses) == 4
    assert told == sorted(told)
    assert told[-1] == 100


def test_a_file_that_changes_meanwhile(service: LocalService, file: Path) -> None:
    """If the file is another one after the interruption, it is downloaded from the start, never mixed."""
    relay, kept = Cutting(service.ports["south"], [700_000]), Kept()

    def change(_seconds: float) -> None:
        file.with_name("new").write_bytes(OTHER)
        file.with_name("new").replace(file)

    with httpx.Client(trust_env=False) as client:
        for _ in Download(f"http://127.0.0.1:{relay.port}/download/{file.name}", kept, change).run(client):
            pass
    assert kept.data == OTHER


def test_giving_up(service: LocalService) -> None:
    """A server that cannot be reached is tried some times, with longer and longer pauses; a missing file is not."""
    pauses: list[float] = []
    with httpx.Client(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            next(Download("http://127.0.0.1:1/x", Kept(), pauses.append).run(client))
        assert len(pauses) == ATTEMPTS - 1
        assert sum(pauses) > 60
        with pytest.raises(httpx.HTTPStatusError):
            next(Download(f"{service.south}/download/missing", Kept(), pauses.append).run(client))
    assert len(pauses) == ATTEMPTS - 1


def test_a_server_that_sends_another_part() -> None:
    """Bytes that were not asked for never get into the file: the download starts over."""
    asked: list[str | None] = []

    class Confused(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            """Tell its size."""
            self._begin(200, 10)

        def do_GET(self) -> None:
            """Break off the first answer, and then send what was not asked for."""
            asked.append(self.headers["Range"])
            if self.headers["Range"]:
                self._begin(206, 5, "bytes 0-4/10")
                self.wfile.write(b"01234")
            else:
                self._begin(200, 10)
                self.wfile.write(b"0123456789" if len(asked) > 1 else b"01234")
            self.close_connection = True

        def _begin(self, status: int, length: int, place: str = "") -> None:
            self.send_response(status)
            self.send_header("ETag", '"same"')
            self.send_header("Content-Length", str(length))
            if place:
                self.send_header("Content-Range", place)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    kept = Kept()
    with ThreadingHTTPServer(("127.0.0.1", 0), Confused) as server, httpx.Client(trust_env=False) as client:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        for _ in Download(f"http://127.0.0.1:{server.server_port}/x", kept, lambda _: None).run(client):
            pass
        server.shutdown()
    assert kept.data == b"0123456789"
    assert asked == [None, "bytes=5-", None]
