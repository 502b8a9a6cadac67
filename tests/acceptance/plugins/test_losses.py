"""A plugin is lost while the service works: nothing passes, and the service ends and says why."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from plugin_programs import DEADLINE, ROOT

from tests.acceptance.plugins.conftest import Guard, Start, client_of, exit_status, last_word, plugins_of
from wfx.demo.local import LocalService

LOST = "no decision from the plugins\n"
ASKED = "one = frame()\n"
UNKNOWN_TAG = """
head = bytes.fromhex("44000000100000000c001a0000000c000b0004000c0000002000000000000003")
write(head + struct.pack("<Q", cookie(one)) + bytes.fromhex("0000000000000a0008000000000004000a0000000400000003000000")
      + b"no" + bytes([10, 0]))
"""
BREAKS = {
    "exit 0 at start": ("sys.exit(0)", "stopped unexpectedly with exit status 0"),
    "exit 1 at start": ("sys.exit(1)", "stopped unexpectedly with exit status 1"),
    "signal at start": ("os.kill(os.getpid(), signal.SIGSEGV)", "stopped unexpectedly by SIGSEGV"),
    "exit 0 in a request": (ASKED + "sys.exit(0)", "stopped unexpectedly with exit status 0"),
    "exit 1 in a request": (ASKED + "sys.exit(1)", "stopped unexpectedly with exit status 1"),
    "signal in a request": (ASKED + "os.kill(os.getpid(), signal.SIGKILL)", "stopped unexpectedly by SIGKILL"),
    "closed stdin at start": ("os.close(0); time.sleep(60)", "closed its standard input"),
    "closed stdout": (ASKED + "os.close(1); time.sleep(60)", "closed its standard output"),
    "garbage": (ASKED + "write(b'hello'); hold()", "announced a frame of 1819043176 bytes"),
    "half a frame": (ASKED + "write(PASS[:10]); hold()", "left an answer unfinished for 0.5 s"),
    "four gigabytes": (ASKED + "write(bytes([255] * 4)); hold()", "announced a frame of 4294967295 bytes"),
    "unknown cookie": (ASKED + "write(passed(99999)); hold()", "answered with cookie 99999, which is not outstanding"),
    "unsolicited at start": ("write(passed(77777)); hold()", "answered with cookie 77777, which is not outstanding"),
    "unknown tag": (ASKED + UNKNOWN_TAG + "hold()", "answered with a payload of the unknown kind 3"),
    "answers twice": (ASKED + "write(passed(cookie(one)) * 2); hold()", "answered with cookie 1, which is not"),
}


def ask_until_gone(address: str) -> list[str]:
    """Ask again and again until nobody answers any more; give what was answered."""
    answers = []
    deadline = time.monotonic() + DEADLINE
    with suppress(httpx.TransportError), client_of(address) as client:
        while time.monotonic() < deadline:
            answer = client.get("/version")
            answers.append(answer.text if answer.status_code == 503 else f"{answer.status_code}")
    assert time.monotonic() < deadline, "the service goes on"
    return answers


def said(service: LocalService, level: str) -> list[str]:
    """Give the messages of one level about plugins."""
    records = [json.loads(line) for line in service.lines if line.startswith("{")]
    return [record["message"] for record in records if record["level"] == level and "plugin" in record]


def check_loss(service: LocalService, reason: str) -> None:
    """The service has ended with exit code 1, and its log and last words name the plugin and the reason."""
    assert exit_status(service) == 1
    (message,) = said(service, "error")
    assert message.startswith("plugin 1-bad ")
    assert reason in message
    assert last_word(service).startswith("Error: plugin 1-bad ")
    assert reason in last_word(service)


@pytest.mark.parametrize("case", BREAKS)
def test_a_plugin_is_lost(guard: Guard, case: str) -> None:
    """Row 44: however a plugin fails, no request passes, and the service ends with 1 and names plugin and reason."""
    source, reason = BREAKS[case]
    guard.south.link("0-cat", "/bin/cat")
    guard.south.script("1-bad", source)
    service = LocalService(guard.south.path.parent, *guard.options, "--plugin-timeout=500ms")
    try:
        service.start()
    except RuntimeError:  # it ended as soon as it listened
        assert "start" in case
    else:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(ask_until_gone, [service.south] * 4))
        given = {text for one in answers for text in one}
        assert given == {LOST} or (not given and "start" in case)
    check_loss(service, reason)


def test_the_last_words_of_a_plugin(guard: Guard, tmp_path: Path) -> None:
    """At the usual log level, the record of a loss holds what the plugin wrote last: here, which module is missing."""
    guard.south.script("1-bad", "import no_such_module")
    service = LocalService(tmp_path, *guard.options)
    with suppress(RuntimeError):  # it may end as soon as it listens
        service.start()
    check_loss(service, "stopped unexpectedly with exit status 1")
    (record,) = [json.loads(line) for line in service.lines if '"stderr"' in line]
    assert record["level"] == "error"
    assert record["stderr"].split("\n")[-1] == "ModuleNotFoundError: No module named 'no_such_module'"


def test_a_plugin_that_raises(guard: Guard, start: Start) -> None:
    """At the usual log level, a plugin whose function raises leaves an error record with the traceback; it goes on."""
    guard.south.sdk("1-bad", "run(lambda request: 1 / 0 if request.path == '/version' else PASS)")
    service = start()
    with client_of(service.south) as client:
        assert client.get("/version").status_code == 503
        assert client.get("/health").status_code == 200
    assert service.stop() == exit_status(service) == 0
    (record,) = [json.loads(line) for line in service.lines if '"stderr"' in line]
    assert (record["level"], record["plugin"], record["errors"]) == ("error", "1-bad", 1)
    assert record["stderr"].startswith("ERROR wfx_plugin: no decision on /version\nTraceback")
    assert record["stderr"].endswith("ZeroDivisionError: division by zero")


def test_a_plugin_is_killed(guard: Guard, start: Start, engine: str) -> None:
    """Row 44: while requests pass and streams are open, SIGKILL to a plugin ends the service with 1."""
    guard.south.link("1-bad", "/bin/cat")
    service = start(engine)
    with (
        client_of(service.south) as client,
        client.stream("GET", "/api/wfx/v1/jobs/events") as stream,
        ThreadPoolExecutor(4) as pool,
    ):
        asking = [pool.submit(ask_until_gone, service.south) for _ in range(4)]
        (plugin,) = plugins_of(service)
        plugin.kill()
        assert list(stream.iter_lines()) == []
        answers = [asked.result() for asked in asking]
    check_loss(service, "stopped unexpectedly by SIGKILL")
    for one in answers:
        assert one == sorted(one), "what passed did so before the loss"
        assert set(one) <= {"200", LOST}


AT_STOP = {
    "exit 0": "sys.exit(0)",
    "exit 1": "sys.exit(1)",
    "signal": "os.kill(os.getpid(), signal.SIGKILL)",
    "garbage": "write(b'hello' * 1000)",
}


@pytest.mark.parametrize("how", AT_STOP)
def test_a_plugin_fails_at_stop(guard: Guard, start: Start, how: str) -> None:
    """Row 44: however a plugin ends once the stop was asked for, that is no loss: the service ends with 0."""
    guard.south.script("p", f"""
        def leave(*_):
            {AT_STOP[how]}
            os._exit(3)
        signal.signal(signal.SIGTERM, leave)
        while one := frame(): write(passed(cookie(one)))
    """)  # fmt: skip
    service = start()
    with client_of(service.south) as client:
        assert client.get("/version").status_code == 200
    assert service.stop() == exit_status(service) == 0
    assert said(service, "error") == []


@pytest.mark.parametrize("first", ["plugins", "service"])
def test_everybody_is_told_to_stop_at_once(guard: Guard, start: Start, first: str) -> None:
    """Row 44: if plugins get SIGTERM together with the service (KillMode=control-group), it still ends with 0."""
    for side in (guard.north, guard.south):
        side.link("cat", "/bin/cat")
        side.sdk("sdk", "run(lambda request: PASS)")
    service = start()
    assert service.process is not None
    plugins = plugins_of(service)
    assert len(plugins) == 4
    with client_of(service.south) as client:
        assert client.get("/version").status_code == 200
    order = [plugin.pid for plugin in plugins]
    order.insert(0 if first == "service" else 4, service.process.pid)
    for pid in order:
        os.kill(pid, signal.SIGTERM)
    assert exit_status(service) == 0
    assert said(service, "error") == []


def test_the_example_in_front_of_devices(guard: Guard, start: Start) -> None:
    """Row 44: with the deny example GET /workflows is 403, and the service stops on SIGTERM with 0, plugins and all."""
    guard.south.sdk("deny", (ROOT / "plugins" / "examples" / "deny" / "deny.py").read_text())
    service = start()
    with client_of(service.south) as client:
        answer = client.get("/api/wfx/v1/workflows")
        assert (answer.status_code, answer.text) == (403, "access to workflows is denied by a plugin\n")
        assert client.get("/api/wfx/v1/jobs").status_code == 200
    plugins = plugins_of(service)
    assert service.stop() == 0
    assert len(plugins) == 1
    assert not any(plugin.is_running() for plugin in plugins)


def test_the_service_is_killed(guard: Guard, start: Start) -> None:
    """Row 44: when the service itself is killed, its plugins see the end of their input, and end too."""
    guard.north.link("cat", "/bin/cat")
    guard.south.sdk("inline", "run(lambda request: PASS)")
    guard.south.sdk("threads", "run(lambda request: PASS, threads=4)")
    guard.south.sdk("tasks", "async def decide(request): return PASS\nrun_async(decide)")
    service = start()
    with client_of(service.south) as client:
        assert client.get("/version").status_code == 200
    plugins = plugins_of(service)
    assert service.stop(signal.SIGKILL) == -signal.SIGKILL
    gone, left = psutil.wait_procs(plugins, timeout=DEADLINE)
    assert (len(gone), left) == (4, [])
