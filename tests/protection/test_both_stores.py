"""Services that encrypt what they store, in a file or on PostgreSQL, and the commands beside them."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from postgres_server import Postgres
from waiting import eventually, is_gone

from tests.logs.journal import Journal, Journaled
from tests.protection.core_files import not_tried
from tests.protection.life import BASE, ONE_REQUEST, SECRET, UNFIT, Life, done, holding, keys, sealing, wfx
from tests.protection.stores import DatabasePlace, FilePlace, Place
from wfx.demo.local import LocalService


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty store of each kind."""
    if request.param == "sqlite":
        yield FilePlace(tmp_path)
        return
    postgres: Postgres = request.getfixturevalue("talkative")
    with postgres.database() as name:
        yield DatabasePlace(postgres, name)


@pytest.fixture
def sealed(place: Place, tmp_path: Path) -> LocalService:
    """A service that has stopped, with jobs that were sealed with a key."""
    service = LocalService(tmp_path, environment=place.environment | sealing("one"))
    with service:
        life = Life.on(service)
        life.workflow()
        life.live("sealed")
    return service


def test_no_file_has_the_secret(place: Place, sealed: LocalService, tmp_path: Path) -> None:
    """Database, write-ahead log, backup and export hold no planted secret, and the latter are imported as they were."""
    given = place.environment | sealing("one")
    with sealed:
        Life.on(sealed).live("more")
        assert "is sound" in done(wfx(tmp_path, "check", **given))
        place.settle()
        assert holding(place.folder, "one") != set()
        assert holding(place.folder, SECRET) | holding(tmp_path, SECRET) == set()
    for command in ("backup", "export"):
        done(wfx(tmp_path, command, command, **given))
    assert SECRET not in done(wfx(tmp_path, "export", "-", **given))
    plain = done(wfx(tmp_path, "export", "-", **place.environment, **keys("one"))).splitlines()[1:-1]
    assert SECRET in "".join(plain)
    for name in ("backup", "export"):
        storage = {"WFX_STORAGE_OPT": f"{name}.db"}
        done(wfx(tmp_path, "import", name, **storage, **sealing("two", "one")))
        assert done(wfx(tmp_path, "export", "-", **storage, **keys("two"))).splitlines()[1:-1] == plain
    place.settle()
    assert holding(place.folder, SECRET) | holding(tmp_path, SECRET) == set()
    assert SECRET not in "".join(sealed.lines)


def crash(process: subprocess.Popen[Any]) -> bool:
    """End a process by a fault, with any size of core files allowed; tell whether the kernel wrote one."""
    hard = resource.prlimit(process.pid, resource.RLIMIT_CORE)[1]
    resource.prlimit(process.pid, resource.RLIMIT_CORE, (hard, hard))
    os.kill(process.pid, signal.SIGSEGV)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -os.WTERMSIG(status)
    assert process.returncode == -signal.SIGSEGV
    return os.WCOREDUMP(status)


def test_no_core_file_is_written(place: Place, sealed: LocalService, tmp_path: Path) -> None:
    """A service with keys that crashes leaves no core file, not even where the limit of their size was raised."""
    sealed.options = ("--workers=2",) if isinstance(place, DatabasePlace) else ()
    with subprocess.Popen([sys.executable, "-c", "input()"], cwd=tmp_path, stdin=subprocess.PIPE) as waiting:
        if not crash(waiting):
            not_tried("this machine writes no core files")
    with sealed:
        assert sealed.process is not None
        assert httpx.get(f"{sealed.north}{BASE}/jobs").text.count(SECRET) > 0
        others = psutil.Process(sealed.process.pid).children(recursive=True)
        assert not crash(sealed.process)
        eventually(lambda: all(map(is_gone, others)), "what it has started has ended")
    assert holding(tmp_path, SECRET) == set()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal of systemd."""
    with Journal(tmp_path / "journal") as running:
        yield running


@pytest.mark.parametrize("form", ["json", "pretty", "journald"])
def test_logs_do_not_have_the_secret(place: Place, form: str, journal: Journal, tmp_path: Path) -> None:
    """No form of the log has what devices and operators have written, at the level that tells most."""
    options = ("--log-level=trace", f"--log-format={form}", "--log-sanitization=false")
    with logging_service(tmp_path, journal, options, place.environment | sealing("one")) as life:
        life.workflow()
        life.live("logged")
    logged = tmp_path / "log"
    logged.write_bytes(b"\n".join([*journal.raw, (tmp_path / "output").read_bytes()]))
    assert logged.read_bytes().count(b"finished") > 10
    place.settle()
    key = keys("one")["WFX_ENCRYPTION_KEYS"][4:20]
    for secret in (SECRET, key):
        assert holding(tmp_path, secret) | holding(place.folder, secret) == set()


@contextmanager
def logging_service(
    folder: Path, journal: Journal, options: tuple[str, ...], environment: dict[str, str]
) -> Iterator[Life]:
    """Run a service whose log goes to the file ``output``, or to the journal."""
    if "--log-format=journald" in options:
        service = Journaled(folder, journal, *options)
        service.environment = environment
        with service:
            yield Life.on(service)
        return
    sockets = [folder / name for name in ("north", "south")]
    command = [
        sys.executable, "-m", "wfx", "--scheme=unix", f"--mgmt-unix-socket={sockets[0]}",
        f"--client-unix-socket={sockets[1]}", *options,
    ]  # fmt: skip
    with (folder / "output").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment}, stdout=log, stderr=log)
    try:
        eventually(lambda: (folder / "output").read_bytes().count(b"listening") == 2, "the sockets")
        transports = [httpx.HTTPTransport(uds=str(path), limits=ONE_REQUEST) for path in sockets]
        yield Life(*(httpx.Client(base_url="http://localhost", transport=each) for each in transports))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()


@pytest.mark.parametrize(("environment", "reason"), UNFIT)
def test_keys_that_do_not_fit_end_the_start(
    place: Place, sealed: LocalService, environment: dict[str, str], reason: str
) -> None:
    """A key that is missing or wrong ends the start with 1, and the store is as it was; commands refuse, too."""
    before, given = place.content(), place.environment | environment
    commands = (["--client-port=0", "--mgmt-port=0"], ["check"], ["export", "-"])
    for shown in (wfx(sealed.folder, *command, **given) for command in commands):
        assert shown.returncode == 1
        assert reason in shown.stderr, shown.stderr
        assert "A" * 20 not in shown.stderr
        assert "Traceback" not in shown.stderr
    assert place.content() == before


def test_encryption_is_taken_back(place: Place, sealed: LocalService) -> None:
    """With keys, but without encryption, `wfx rekey` makes all values plain, and a server needs no key any more."""
    given = place.environment | keys("one")
    before = done(wfx(sealed.folder, "export", "-", **given))
    assert "all values are plain now" in done(wfx(sealed.folder, "rekey", **given))
    assert done(wfx(sealed.folder, "export", "-", **place.environment)) == before
    assert place.written("")[0] == 0
    sealed.environment = place.environment
    with sealed:
        assert httpx.get(f"{sealed.north}{BASE}/jobs").status_code == 200


def test_rekey_beside_a_server_with_other_keys_is_refused(place: Place, sealed: LocalService) -> None:
    """Beside a server that writes in another form `wfx rekey` changes nothing, and says what to do first."""
    with sealed:
        for environment, form in ((sealing("two", "one"), 'seals with the key "two"'), (keys("one"), "writes plain")):
            shown = wfx(sealed.folder, "rekey", **place.environment, **environment)
            assert shown.returncode == 1
            assert 'seals with the key "one", and not as these options say' in shown.stderr
            assert form in shown.stderr
    assert wfx(sealed.folder, "rekey", **place.environment).returncode == 1
    sealed_with_two, _ = place.written("two")
    with_one, every = place.written("one")
    assert (sealed_with_two, with_one) == (0, every)
