"""Plugins that are slow, deaf, stubborn or loud, and what may not be started at all."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from left_behind import environment, look
from plugin_programs import PluginDirectory
from rawhttp import Wire, request

from tests.acceptance.plugins.conftest import Guard, Start, client_of, exit_status, last_word, plugins_of
from tests.waiting import eventually, is_gone
from wfx.demo.local import LocalService

MANY = 200


def send_many(service: LocalService, count: int, body: bytes) -> list[Wire]:
    """Send requests, all at the same time, each on a connection of its own."""
    wires = [Wire(service.ports["south"]) for _ in range(count)]
    for number, wire in enumerate(wires):
        wire.send(request("PUT", f"/api/wfx/v1/jobs/{number}/status", body))
    return wires


def statuses(wires: list[Wire]) -> Counter[int]:
    """Count the statuses of the answers, and 0 for connections that end without one."""
    found = Counter[int]()
    for wire in wires:
        with wire:
            found[0 if wire.over() else wire.answer().status] += 1
    return found


@pytest.mark.parametrize("source", ["while frame(): pass", "time.sleep(600)"], ids=["never answers", "stops reading"])
def test_a_plugin_that_is_silent(guard: Guard, start: Start, tmp_path: Path, engine: str, source: str) -> None:
    """Row 45: 200 requests get 503 when the deadline is over, little is kept of them, the other side works on."""
    guard.south.script("silent", source)
    options = (engine, "--plugin-timeout=1s", "--max-body-size=100000", "--max-header-size=10000")
    service = start(*options, **environment(tmp_path))
    assert statuses(send_many(service, MANY, bytes(100_000))) == {503: MANY}
    before = look(tmp_path)
    for _ in range(3):
        wires = send_many(service, MANY, bytes(100_000))
        with client_of(service.north) as operator:
            assert operator.get("/version").status_code == 200
        assert statuses(wires) == {503: MANY}
    eventually(lambda: look(tmp_path).bytes - before.bytes < 10_000_000, "of 60 MB that were sent little is kept")
    assert any("plugin silent did not answer within 1 s" in line for line in service.lines)
    (plugin,) = plugins_of(service)
    assert service.stop() == 0
    assert not plugin.is_running()


def test_a_plugin_that_is_late(guard: Guard, start: Start) -> None:
    """Row 45: 200 requests through a plugin that sleeps before it answers are all answered; none waits for another."""
    guard.south.script("slow", f"""
        frames = [frame() for _ in range({MANY})]
        time.sleep(0.5)
        for one in frames: write(passed(cookie(one)))
        hold()
    """)  # fmt: skip
    assert statuses(send_many(start(), MANY, b"{}")) == {400: MANY}


def test_a_plugin_that_answers_twice(guard: Guard, start: Start) -> None:
    """Row 45: when one of 200 requests in flight is answered twice, none passes, and the service ends with 1."""
    guard.south.script("twice", f"""
        frames = [frame() for _ in range({MANY})]
        write(passed(cookie(frames[0])) * 2)
        hold()
    """)  # fmt: skip
    service = start()
    assert statuses(send_many(service, MANY, b"{}")) == {503: MANY}
    assert exit_status(service) == 1
    assert last_word(service).startswith("Error: plugin twice answered with cookie 1, which is not outstanding")


def test_a_plugin_that_will_not_end(guard: Guard, start: Start) -> None:
    """Row 45: a plugin that ignores SIGTERM and holds 200 requests is killed, children too; the service ends with 0."""
    guard.south.script(
        "stubborn",
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.fork()
        while frame(): pass
        while True: time.sleep(60)
    """,
    )
    service = start("--graceful-timeout=500ms")
    processes = plugins_of(service)
    eventually(processes[0].children, "the plugin has a child")
    processes += processes[0].children()
    wires = send_many(service, MANY, b"{}")
    assert service.stop() == exit_status(service) == 0
    assert statuses(wires).keys() <= {0, 503}
    eventually(lambda: all(map(is_gone, processes)), "the plugin and its child are gone")
    assert any("plugin ignores SIGTERM" in line for line in service.lines)


def test_a_plugin_that_is_loud(guard: Guard, start: Start, tmp_path: Path, engine: str) -> None:
    """Row 46: lines of megabytes, very many, and binary ones leave bounded lines in the log; the service answers."""
    guard.south.script("loud", """
        newline = bytes([10])
        while one := frame():
            sys.stderr.buffer.write(b"x" * 10_000_000 + newline)
            sys.stderr.buffer.write(bytes(range(256)) * 100 + newline)
            sys.stderr.buffer.write((b"line" + newline) * 500_000)
            sys.stderr.buffer.flush()
            write(passed(cookie(one)))
    """)  # fmt: skip
    service = start(engine, "--log-level=debug", **environment(tmp_path))
    with client_of(service.south) as client, client_of(service.north) as operator, ThreadPoolExecutor(1) as pool:
        before, held = look(tmp_path), list[int]()
        asked = pool.submit(client.get, "/version")
        while not asked.done():
            assert operator.get("/version").status_code == 200
            held.append(look(tmp_path).bytes)
        assert asked.result().status_code == 200
        assert max(held) - before.bytes < 10_000_000, "less than one of its lines"
    assert service.stop() == exit_status(service) == 0
    forwarded = [json.loads(line) for line in service.lines if '"plugin loud"' in line]
    assert {"debug"} == {record["level"] for record in forwarded}
    texts = [record["msg"] for record in forwarded]
    assert any(text.startswith("xxx") and text.endswith("bytes more") for text in texts)
    assert "line" in texts
    assert max(map(len, texts)) < 40_000
    assert len(texts) < 20_000


def writable_file(plugins: PluginDirectory) -> None:
    """Put a plugin there that anybody may write."""
    plugins.script("open", "hold()").chmod(0o757)


def writable_directory(plugins: PluginDirectory) -> None:
    """Let anybody put plugins there."""
    plugins.path.chmod(0o757)


def no_program(plugins: PluginDirectory) -> None:
    """Put an executable file there that no kernel knows how to run."""
    (plugins.path / "open").write_text("no program")
    (plugins.path / "open").chmod(0o755)


def no_interpreter(plugins: PluginDirectory) -> None:
    """Put a script there whose interpreter is not installed."""
    (plugins.path / "open").write_text("#!/no/such/interpreter\n")
    (plugins.path / "open").chmod(0o755)


NO_PROGRAM = "it is neither a program for this machine nor a script with a #! line (Exec format error)"
REFUSED: list[tuple[Callable[[PluginDirectory], None], str]] = [
    (writable_file, "{path}/open is writable by others, who could put a program of theirs there (chmod o-w)"),
    (writable_directory, "{path} is writable by others, who could put a program of theirs there (chmod o-w)"),
    (no_program, f"plugin {{path}}/open does not start: {NO_PROGRAM}"),
    (no_interpreter, "plugin {path}/open does not start: its interpreter /no/such/interpreter does not exist"),
]


@pytest.mark.parametrize(("prepare", "reason"), REFUSED)
def test_what_is_refused_at_start(
    guard: Guard, tmp_path: Path, prepare: Callable[[PluginDirectory], None], reason: str
) -> None:
    """Row 47: a plugin that others could replace, or that cannot run, stops the start: exit code 1, path and reason."""
    guard.north.link("cat", "/bin/cat")
    prepare(guard.south)
    service = LocalService(tmp_path, *guard.options)
    with pytest.raises(RuntimeError, match="ended at start"):
        service.start()
    assert exit_status(service) == 1
    assert last_word(service) == f"Error: {reason.format(path=guard.south.path)}\n"


def test_what_is_passed_over_at_start(guard: Guard, start: Start, tmp_path: Path) -> None:
    """Row 47: dangling and looping links, files without execute permission, FIFOs and directories are passed over."""
    guard.south.script("text", "hold()").chmod(0o644)
    os.mkfifo(guard.south.path / "fifo", 0o755)
    (guard.south.path / "folder").mkdir()
    guard.south.link("dangling", tmp_path / "nowhere")
    guard.south.link("loop", guard.south.path / "loop")
    guard.south.link("cat", "/bin/cat")
    service = start("--log-level=debug")
    assert len(plugins_of(service)) == 1
    told = {Path(record["path"]).name: (record["level"], record["reason"]) for record in map(json.loads, service.lines)
            if "ignoring plugin" in record["message"] or "skipping plugin" in record["message"]}  # fmt: skip
    assert told.keys() == {"text", "fifo", "folder", "dangling", "loop"}
    assert told["text"] == ("debug", "not executable")
    assert told["fifo"] == ("debug", "not a regular file")
    assert told["dangling"][0] == told["loop"][0] == "warn"
    with client_of(service.south) as client:
        assert client.get("/version").status_code == 200
