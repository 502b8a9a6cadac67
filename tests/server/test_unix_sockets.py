"""Unix sockets: their files, who may connect, and what is found in their place."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.server.everywhere import Everywhere
from wfx.config.options import Config
from wfx.request_context import Side
from wfx.server.listeners import CannotListen, open_listeners, open_unix


def ask(path: str) -> int:
    """The status of an answer over a socket, to a browser that uses a foreign host name."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=path)) as client:
        return client.get(
            "http://elsewhere.example/version", headers={"Origin": "http://elsewhere.example"}
        ).status_code


def start(folder: Path, *options: str) -> tuple[int, str]:
    """Run a service on the sockets in a folder that ends by itself; returns its status and its last line."""
    command = [
        sys.executable, "-m", "wfx", "--scheme=unix", "--client-unix-socket=client.sock",
        "--mgmt-unix-socket=mgmt.sock", "--storage-opt=file:other?mode=memory", *options,
    ]  # fmt: skip
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return ended.returncode, ended.stderr.strip()


def test_life_of_the_files(engine: str, tmp_path: Path) -> None:
    """A second instance is refused, files of one that was killed are replaced, and a clean stop removes them."""
    with Everywhere(tmp_path, "unix", f"--http-engine={engine}") as service:
        assert [ask(service.socket(side)) for side in ("north", "south")] == [200, 200]
        code, said = start(tmp_path)
        assert (code, said) == (1, "Error: cannot listen on client.sock (south side): another process listens there")
        assert ask(service.socket("south")) == 200, "the first goes on"
        service.stop(signal.SIGKILL)
        assert {path.name for path in tmp_path.glob("*.sock")} == {"client.sock", "mgmt.sock"}
        service.start()
        assert [ask(service.socket(side)) for side in ("north", "south")] == [200, 200]
        assert service.stop() == 0
    assert not list(tmp_path.glob("*.sock"))


@pytest.mark.parametrize(("mode", "expected"), [("0660", 0o660), ("600", 0o600), ("0777", 0o777), ("", 0o750)])
def test_mode(mode: str, expected: int, tmp_path: Path) -> None:
    """The option decides who may connect; without it the umask does."""
    before = os.umask(0o027)
    try:
        listener = open_unix(Side.NORTH, str(tmp_path / "x.sock"), mode, "uvicorn")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x.sock").stat().st_mode) == expected
    listener.close()
    assert not (tmp_path / "x.sock").exists()


def test_what_is_no_socket(tmp_path: Path) -> None:
    """A file, a link and a directory in the socket's place are left alone, and refused."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("file")
    for place in (tmp_path / "file", tmp_path / "link", tmp_path):
        with pytest.raises(CannotListen, match="a file that is not a socket has this name"):
            open_unix(Side.NORTH, str(place), "", "uvicorn")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(("path", "reason"), [
    ("missing/x.sock", "No such file or directory"), ("x" * 200, "AF_UNIX path too long"),
    ("", "option mgmt-unix-socket is empty"),
])  # fmt: skip
def test_places_without_a_socket(path: str, reason: str) -> None:
    """Where no socket can be, the start fails and says why."""
    with pytest.raises(CannotListen, match=reason):
        open_unix(Side.NORTH, path, "", "uvicorn")


def test_the_file_of_a_successor(tmp_path: Path) -> None:
    """Who stops does not remove the socket that another process has put in the place of its own."""
    path = tmp_path / "x.sock"
    first = open_unix(Side.NORTH, str(path), "", "uvicorn")
    path.unlink()
    with socket.socket(socket.AF_UNIX) as second:
        second.bind(str(path))
        first.close()
        assert path.is_socket()


def test_no_scheme() -> None:
    """A service that would listen nowhere does not start."""
    with pytest.raises(CannotListen, match="option scheme is empty"):
        open_listeners(Config(scheme=()))
