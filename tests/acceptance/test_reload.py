"""Settings that change while the service runs: by a change of its files, and on SIGHUP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.clients import BASE, WORKFLOW
from tests.waiting import eventually
from wfx.demo.local import LocalService

RELOADED, REFUSED = "configuration reloaded", "configuration not reloaded; settings stay as they were"
RESTART = "changed options need a restart to take effect"
ENGINES = ("uvicorn", "hypercorn")


def records(service: LocalService, *messages: str) -> list[dict[str, Any]]:
    """The records of the log that have one of these messages."""
    found = [json.loads(line) for line in list(service.lines) if line.startswith("{")]
    return [record for record in found if record["message"] in messages]


def await_records(service: LocalService, number: int, *messages: str) -> list[dict[str, Any]]:
    """Wait until there are so many records of reloads, which are then all there are."""
    messages = messages or (RELOADED, REFUSED)
    eventually(lambda: len(records(service, *messages)) >= number, f"{number} records {messages}")
    found = records(service, *messages)
    assert len(found) == number
    return found


def hang_up(service: LocalService) -> None:
    """Send SIGHUP."""
    assert service.process is not None
    service.process.send_signal(signal.SIGHUP)


@pytest.fixture(autouse=True)
def _hang_up() -> Iterator[None]:
    """The service is started as usual, not as under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@contextmanager
def load(service: LocalService) -> Iterator[list[httpx.Response]]:
    """Ask both sides, in several threads, and change jobs; gives all answers. Errors are raised at the end."""
    stopped, answers, errors = threading.Event(), [], []

    def work(side: str) -> None:
        try:
            with httpx.Client(base_url=side + BASE, trust_env=False, timeout=60) as client:
                while not stopped.is_set():
                    answers.append(client.get("/jobs"))
                    if side == service.north:
                        answers.append(client.post("/jobs", json={"clientId": "c", "workflow": WORKFLOW["name"]}))
        except httpx.HTTPError as exc:
            errors.append(exc)

    threads = [threading.Thread(target=work, args=(side,)) for side in (service.north, service.south) * 2]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    assert errors == []


def put(path: Path, text: str) -> None:
    """Save a file in one step."""
    other = path.with_suffix(".new")
    other.write_text(text)
    other.replace(path)


@pytest.mark.parametrize("engine", ENGINES)
def test_no_request_fails_while_it_reloads(tmp_path: Path, engine: str) -> None:
    """Under load, ten reloads by SIGHUP and by changed files, valid and not, cost no request on either engine."""

    def await_reload(service: LocalService, n: int) -> None:
        """Every third one is refused."""
        if n % 3 == 2:
            eventually(lambda: len(records(service, REFUSED)) >= (n + 1) // 3, "refused")
            return
        origin = f"https://{n}.example"
        eventually(
            lambda: [r for r in records(service, RELOADED) if r["changed"].get("allowed-origin") == origin], "read"
        )

    def await_answers(answers: list[httpx.Response], number: int) -> None:
        eventually(lambda: len(answers) > number, "answers go on")

    levels, times = ("debug", "info", "loud"), ("20s", "30s", "9m", "0s")
    with LocalService(tmp_path, f"--http-engine={engine}") as service:
        httpx.post(f"{service.north}{BASE}/workflows", json=WORKFLOW, trust_env=False).raise_for_status()
        with load(service) as answers:
            for n in range(10):
                seen = len(answers)
                changed = f"log-level: {levels[n % 3]}\nread-timeout: {times[n % 4]}\nmax-requests: {500 + n}\n"
                put(tmp_path / "wfx.yml", changed + f"allowed-origin: https://{n}.example\n")
                if n % 2:
                    hang_up(service)
                await_reload(service, n)
                await_answers(answers, seen + 20)
        assert {answer.status_code for answer in answers} == {200, 201}


@contextmanager
def stopped(service: LocalService) -> Iterator[None]:
    """Let the service see nothing meanwhile."""
    assert service.process is not None
    service.process.send_signal(signal.SIGSTOP)
    yield
    service.process.send_signal(signal.SIGCONT)


Save = Callable[[Path, str], None]


def _in_place(path: Path, text: str) -> None:
    with path.open("r+") as file:
        file.write(text)


def _empty_first(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.flush()
        os.fsync(file.fileno())
        file.write(text)


def _move_away(path: Path, text: str) -> None:
    path.rename(path.with_suffix(".yml~"))
    path.write_text(text)


@pytest.mark.parametrize("save", [_in_place, _empty_first, put, _move_away])
def test_one_save_is_one_reload(tmp_path: Path, save: Save) -> None:
    """However an editor saves, each save is one reload, and takes effect; also if the size stays the same."""
    path = tmp_path / "wfx.yml"
    path.write_text("log-level: info \n")
    with LocalService(tmp_path) as service:
        for n, level in enumerate(("debug", "error", "trace", "fatal"), 1):
            with stopped(service):  # so that it sees the whole save, however long the test is kept from running
                save(path, f"log-level: {level:5}\n")
            assert await_records(service, n)[-1]["changed"] == {"log-level": level}


def test_files_that_appear_and_vanish(tmp_path: Path) -> None:
    """A file that was not there at the start is seen, and so is its end: what it set has its default then."""
    (tmp_path / "here.yml").write_text("max-requests: 1000\n")
    with LocalService(tmp_path, "--config=here.yml,later/there.toml") as service:
        assert "configuration file later/there.toml does not exist" in "".join(service.lines)
        later = tmp_path / "later" / "there.toml"
        later.parent.mkdir()
        for n in (1, 3):
            put(later, "[max]\nrequests = 2000\nconnections = 3000\n")
            assert await_records(service, n)[-1]["changed"] == {"max-connections": "3000", "max-requests": "2000"}
            later.unlink()
            assert await_records(service, n + 1)[-1]["changed"] == {"max-connections": "10000", "max-requests": "1000"}


@pytest.mark.parametrize(("text", "said"), [
    ("log-level: debug\nread-timeout: soon\n",
     'invalid duration "soon": use a unit, for example 5s or 1m30s (wfx.yml line 2)'),
    ("log-level: debug\nsse:\n  ping: {interval: [1]}\n", "key sse-ping-interval must have one value, not a list"),
    ("log-level: debug\nlog: {level: info}\n", 'wfx.yml is not valid: it gives "log-level" twice, in lines 1 and 2'),
    ("log-level: [", "configuration file wfx.yml is not valid YAML: "),
    ("log-level: debug\nlog-custom-pattern: ['a=a.{0,12}Z', 'b=b.{0,12}Z', 'c=c.{0,12}Z', 'd=d.{0,12}Z']\n",
     "and may have 384: shorten what is repeated, such as .{0,50} (wfx.yml line 2)"),
    ("log-level: debug\ndebug-enabled: true\n",
     "debug-auth-token cannot be used: debug-enabled needs a secret here that requests have to show"),
    ("log-level: debug\ndebug-enabled: true\ndebug-auth-token: ' x'\n",
     "debug-auth-token cannot be used: blanks at the beginning or the end cannot be sent in a header field (wfx.yml l"),
])  # fmt: skip
def test_a_file_that_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    """Row 55: of a file that is wrong nothing takes effect, one record says why and where, and the next one counts."""
    path = tmp_path / "wfx.yml"
    put(path, "log-level: info\n")
    command = [sys.executable, "-m", "wfx", "config"]
    with LocalService(tmp_path) as service:
        assert service.process is not None
        put(path, text)
        refused = await_records(service, 1)[0]
        assert (refused["message"], refused["level"]) == (REFUSED, "error")
        assert said in refused["error"]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60).returncode == 1
        httpx.get(f"{service.north}{BASE}/jobs", trust_env=False).raise_for_status()
        assert records(service, "finished") == [], "which level debug would show"
        put(path, "log-level: debug\n")
        assert await_records(service, 2)[-1]["changed"] == {"log-level": "debug"}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_file_server(tmp_path: Path, engine: str) -> None:
    """The directory under /download may be set, changed and taken away; one that does not exist is refused."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "name.txt").write_text(name)
    with LocalService(tmp_path, f"--http-engine={engine}") as service:

        def served() -> str | int:
            answer = httpx.get(f"{service.south}/download/name.txt", trust_env=False)
            return answer.text if answer.status_code == 200 else answer.status_code

        found = [served()]
        for n, directory in enumerate(("one", "none", "two", ""), 1):
            put(tmp_path / "wfx.yml", f"simple-fileserver: '{directory}'\n")
            await_records(service, n)
            found.append(served())
        assert found == [404, "one", "one", "two", 404]
        (refused,) = records(service, REFUSED)
        assert refused["error"].endswith("no such directory (wfx.yml line 1)")


def test_flags_and_variables_keep_precedence(tmp_path: Path) -> None:
    """What a flag or a variable says holds, whatever files say later."""
    with LocalService(tmp_path, "--read-timeout=7s", environment={"WFX_LOG_LEVEL": "debug"}) as service:
        put(tmp_path / "wfx.yml", "read-timeout: 8s\nlog-level: error\nkeep-alive: false\n")
        assert await_records(service, 1)[0]["changed"] == {"keep-alive": "false"}


def test_what_needs_a_restart(tmp_path: Path) -> None:
    """Options that cannot change at run time are named, at each reload, until they are as at the start."""
    path, secret = tmp_path / "wfx.yml", "postgres://wfx:s3cret@db/wfx"
    with LocalService(tmp_path) as service:
        put(path, f"storage-opt: {secret}\nlog-level: warn\nprot: 1\n")
        warning = await_records(service, 1, RESTART)[0]
        assert warning["options"] == {"storage-opt": "postgres://wfx:***@db/wfx"}
        assert await_records(service, 1)[0]["changed"] == {"log-level": "warn"}, "told, though this level hides it"
        assert await_records(service, 1, "unknown option prot is ignored (wfx.yml line 3)")
        put(path, f"storage-opt: {secret}\nlog-level: info\n")
        await_records(service, 2, RESTART)
        put(path, "log-level: info\n")
        await_records(service, 3)
        await_records(service, 2, RESTART)
        assert service.stop() == 0
    assert "s3cret" not in "".join(service.lines)


def test_hanging_up_reloads(tmp_path: Path) -> None:
    """Row 56: SIGHUP reloads at once, also if nothing has changed; the service goes on and stops in order."""
    with LocalService(tmp_path) as service:
        hang_up(service)
        assert await_records(service, 1)[0]["changed"] == {}
        with stopped(service):
            put(tmp_path / "wfx.yml", "log-level: debug\n")
            hang_up(service)
        assert await_records(service, 2)[1]["changed"] == {"log-level": "debug"}, "one reload for both"
        httpx.get(f"{service.north}/version", trust_env=False).raise_for_status()
        assert service.stop() == 0


def test_hanging_up_while_it_starts(tmp_path: Path) -> None:
    """Row 56: SIGHUP before the service listens does not end it; it reloads when it does."""
    service = LocalService(tmp_path)
    starting = threading.Thread(target=service.start)
    starting.start()
    eventually(lambda: records(service, "wfx starts"), "begun")
    for _ in range(5):
        hang_up(service)
    starting.join()
    eventually(lambda: records(service, RELOADED), "reloaded")
    said = [record["message"] for record in records(service, "listening", RELOADED)]
    assert said[:3] == ["listening", "listening", RELOADED]
    assert service.stop() == 0


def test_hanging_up_while_it_stops(tmp_path: Path) -> None:
    """Row 56: SIGHUP while the service stops, up to its very end, changes nothing: it ends in order."""
    with LocalService(tmp_path) as service:
        assert service.process is not None
        process = service.process
        process.terminate()

        def ended() -> bool:
            hang_up(service)
            return process.poll() is not None

        eventually(ended, "ended")
        assert process.returncode == 0
    assert "Traceback" not in "".join(service.lines)
    assert "configuration reloaded" not in "".join(service.lines).partition('"stopping"')[2]


@pytest.mark.parametrize(("text", "said"), [
    ("mgmt-plugins-dir: /nope", "mgmt-plugins-dir: plugin directory /nope: No such file or directory (wfx.yml line 1)"),
    ("client-plugins-dir: wfx.yml", "client-plugins-dir: plugin directory wfx.yml: Not a directory (wfx.yml line 1)"),
    (
        "scheme: unix\nmgmt-unix-socket: /nope/mgmt.sock",
        'mgmt-unix-socket: there is no directory for "/nope/mgmt.sock" (wfx.yml line 2)',
    ),
    (
        "scheme: https\ntls-certificate: none.pem\ntls-key: none.key",
        "tls-certificate: cannot read none.pem: No such file or directory (wfx.yml line 2)",
    ),
    (
        "storage-opt: /no/w.db",
        "storage-opt: cannot use the database /no/w.db: there is no directory in which it can be made (wfx.yml line 1)",
    ),
    (
        "storage-opt: file:none.db?mode=rw",
        "storage-opt: cannot use the database none.db: there is no such file, and mode=rw makes none (wfx.yml line 1)",
    ),
    (
        "storage-opt: /",
        "storage-opt: cannot use the database /: it is no file that can be read and written (wfx.yml line 1)",
    ),
    (
        "storage-opt: file:wfx.db?mode=ro",
        "storage-opt: the storage option has mode=ro, but the database must be writable; use mode=rwc (wfx.yml line 1)",
    ),
    (
        "storage-opt: postgres://me:secret@db.example/wfx",
        (
            "storage-opt: the storage option begins with postgres://, which names no file of SQLite; "
            "give --storage postgres with it (wfx.yml line 1)"
        ),
    ),
])  # fmt: skip
def test_what_a_restart_would_refuse(tmp_path: Path, text: str, said: str) -> None:
    """Of an option that needs a restart, a value with which the service would not start is an error in the log."""
    with LocalService(tmp_path) as service:
        put(tmp_path / "wfx.yml", f"{text}\nlog-level: debug\n")
        await_records(service, 1, RESTART)
        (error,) = await_records(service, 1, "the service would not start with a changed option")
        assert (error["level"], error["error"]) == ("error", said)
        assert not [line for line in service.lines if "secret" in line]
        assert await_records(service, 1)[0]["changed"]["log-level"] == "debug", "the others take effect"
        httpx.get(f"{service.north}/version", trust_env=False).raise_for_status()
