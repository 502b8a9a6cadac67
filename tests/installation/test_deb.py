"""The Debian package: installed where nothing else knows wfx, each command works, and so do the units."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from waiting import eventually

from release import deb
from release.components import components
from release.engine_part import engine_part
from tests.certificates import Authority
from tests.installation.command_check import SCRIPTS, CommandCheck
from tests.installation.debian_root import DEADLINE, DebianRoot, debian_root
from tests.installation.guides import commands, shown

ROOT = Path(__file__).parents[2]
UNITS = "/lib/systemd/system"
STARTER = Path(__file__).with_name("unit_starter.py")
PORTS = {"south": 8080, "north": 8081}
QUICKLY = ("-o", "Dpkg::Options::=--no-triggers")
"""Leaves out to enter the manual pages of the whole system into an index."""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, as ``make deb`` builds it for somebody whose new files others cannot read; packed in a hurry."""
    before = os.umask(0o077)
    try:
        return deb.build(tmp_path_factory.mktemp("deb"), level=1)
    finally:
        os.umask(before)


@pytest.fixture(scope="module")
def system(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DebianRoot]:
    """A system in which it is installed."""
    with debian_root(tmp_path_factory.mktemp("system")) as made:
        made.run("mkdir", "/tmp/dist")
        with package.open("rb") as content:
            made.run("cp", "/dev/stdin", f"/tmp/dist/{package.name}", stdin=content)
        (install,) = commands("apt-get install")
        made.run("sh", "-c", " ".join([*install, *QUICKLY]))
        yield made


@pytest.fixture
def copy(system: DebianRoot, tmp_path: Path) -> Iterator[DebianRoot]:
    """A copy of the system, for what changes what is installed."""
    with debian_root(tmp_path, system) as made:
        yield made


class Started:
    """A service that a unit has started."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Read what it says."""
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            self.lines.extend(iter(said.readline, ""))

    def stop(self) -> None:
        """Stop it as systemd does."""
        self.process.send_signal(signal.SIGTERM)
        ended = self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        assert ended == 0, "".join(self.lines)

    def told(self, what: str) -> bool:
        """Whether it has told its manager so."""
        assert self.process.poll() is None, "".join(self.lines)
        return any(line.startswith("told") and what in line for line in self.lines)


@contextmanager
def started(system: DebianRoot, unit: str, instance: str = "", before: tuple[str, ...] = ()) -> Iterator[Started]:
    """Start a service as its unit says, and stop it as systemd would."""
    groups = system.run("systemd-analyze", "syscall-filter").stdout
    words = ("python3", "-c", STARTER.read_text(), f"{UNITS}/{unit}", instance, groups)
    process = subprocess.Popen(
        system.command(*before, *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    service = Started(process)
    try:
        yield service
    except AssertionError as exc:
        exc.add_note("".join(service.lines))
        raise
    finally:
        service.stop()


def curl(system: DebianRoot, *words: str, body: str = "") -> str:
    """Ask the service."""
    return system.run("curl", "--silent", "--show-error", "--fail-with-body", *words, input=body).stdout


def post(system: DebianRoot, url: str, document: dict[str, Any]) -> dict[str, Any]:
    """Send a document to the service; returns its answer."""
    words = ("-H", "Content-Type: application/json", "-d", "@-", url)
    made: dict[str, Any] = json.loads(curl(system, *words, body=json.dumps(document)))
    return made


def test_contents(system: DebianRoot) -> None:
    """Each program has manual pages and completions for three shells; licences of all that is inside are told."""
    for program in SCRIPTS:
        assert f"from {SCRIPTS[program].partition(':')[0]} import main" in system.text(f"/usr/bin/{program}")
        for place in (
            f"/usr/share/bash-completion/completions/{program}",
            f"/usr/share/zsh/vendor-completions/_{program}", f"/usr/share/fish/vendor_completions.d/{program}.fish",
        ):  # fmt: skip
            assert program in system.text(place)
        assert f'.TH "{program.upper()}"' in system.run("zcat", f"/usr/share/man/man1/{program}.1.gz").stdout
    copyright_file = system.text("/usr/share/doc/wfx/copyright")
    for part in components():
        assert f"authors of {part.name}," in copyright_file
    assert json.loads(system.run("zcat", "/usr/share/doc/wfx/sbom.cdx.json.gz").stdout)["components"]
    assert system.run("dpkg", "--verify", "wfx").stdout == ""


def test_licences(system: DebianRoot) -> None:
    """The text of each part's licence is in the package, and each licence that is named has a paragraph of its own."""
    folder = "/usr/share/doc/wfx/licenses"
    files = system.run("find", folder, "-type", "f", "-size", "+300c", "-printf", "%P\\n").stdout.split()
    with_text = {name.split("/")[0] for name in files if re.search(r"(?i)/(licen[cs]e|copying)[^/]*$", name)}
    assert with_text == {"wfx", "console", engine_part().name, *(part.name for part in components())}
    assert "Dmitry Dygalo" in system.text(f"{folder}/jsonschema-rs/LICENSE")
    assert "Google" in system.text(f"{folder}/flatbuffers/LICENSE")
    paragraphs = system.text("/usr/share/doc/wfx/copyright").split("\n\n")
    named = {word for each in paragraphs if each.startswith("Files:")
             for word in re.split(r",? (?:and|or) ", each.rpartition("License: ")[2].strip())}  # fmt: skip
    told = {each.partition("\n")[0].removeprefix("License: ") for each in paragraphs if each.startswith("License:")}
    assert named == told


def test_example_plugins(system: DebianRoot) -> None:
    """An example plugin of the package, copied into a directory for plugins, is run and decides."""
    system.run("mkdir", "-p", "-m", "755", "/srv/guards", "/srv/state")
    system.run("cp", "/usr/share/doc/wfx/examples/deny/deny.py", "/srv/guards/deny")
    words = ("wfx", "--client-port=18080", "--mgmt-port=18081", "--mgmt-plugins-dir=/srv/guards", "--config=",
             "--storage-opt=file:/srv/state/wfx.db")  # fmt: skip
    url = "http://127.0.0.1:18081"
    with running(system, *words) as service:

        def serves() -> bool:
            assert service.poll() is None, "the service has ended"
            return system.run("curl", "-sf", f"{url}/readyz", check=False).returncode == 0

        eventually(serves, "it serves")
        code = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}")
        assert system.run(*code, f"{url}/api/wfx/v1/workflows").stdout == "403"
        assert system.run(*code, f"{url}/api/wfx/v1/jobs").stdout == "200"


def test_everybody_can_read(system: DebianRoot) -> None:
    """What is installed can be read by everybody, and changed by root only, whatever the umask of its builder was."""
    find = (
        "find",
        "/usr/lib/wfx",
        "/usr/share/doc/wfx",
        "/etc/wfx",
        "-not",
        "-type",
        "l",
        "-not",
        "-name",
        "__pycache__",
    )
    assert system.run(*find, "-type", "d", "-not", "-perm", "0755").stdout == ""
    assert system.run(*find, "-type", "f", "-not", "-perm", "0644", "-not", "-perm", "0755").stdout == ""
    assert system.run("test", "-x", "/usr/bin/wfx", check=False).returncode == 0
    examples = (path for path in (ROOT / "plugins" / "examples").rglob("*") if path.is_file())
    runnable = system.run("find", "/usr/share/doc/wfx/examples", "-type", "f", "-perm", "0755").stdout
    assert {Path(name).name for name in runnable.split()} == {
        path.name for path in examples if path.stat().st_mode & 0o100
    }


def test_needed_libraries(system: DebianRoot) -> None:
    """The package depends on the packages that have the libraries which its compiled files are linked to."""
    files = system.run("find", "/usr/lib/wfx", "-regex", r".*\.so[.0-9]*", "-type", "f").stdout.split()
    assert len(files) > 10
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", system.run("readelf", "--dynamic", "--wide", *files).stdout))
    assert {"libc.so.6", "libstdc++.so.6", "libgcc_s.so.1"} <= needed
    depends = system.run("dpkg-query", "--show", "-f", "${Depends}", "wfx").stdout
    packages = {part.split()[0] for part in depends.replace("|", ",").split(",")}
    found = system.run(
        "dpkg-query", "--search", *(f"*/{name}" for name in needed - {Path(file).name for file in files})
    )
    owners: dict[str, set[str]] = {}
    for owner, _, place in (line.partition(": ") for line in found.stdout.splitlines()):
        owners.setdefault(Path(place).name, set()).add(owner.partition(":")[0])
    assert {name: owners[name] for name in owners if not owners[name] & packages} == {}


SHIPPED_ELSEWHERE = {
    "../CHANGELOG.md": "/usr/share/doc/wfx/changelog.gz",
    "../README.md": "",
}
"""What the guides link to that the package has in another place, or not at all: the latter is about the clone."""


def test_links_of_guides(system: DebianRoot) -> None:
    """What the guides of the package link to is in the package, but for tests, and what is known to be elsewhere."""
    files = set(system.run("find", "/usr/share/doc/wfx", "-type", "f").stdout.split())
    missing = set()
    for guide in [*(ROOT / "docs").glob("*.md"), ROOT / "SECURITY.md"]:
        folder = Path("/usr/share/doc/wfx") / guide.parent.relative_to(ROOT)
        assert str(folder / guide.name) in files
        links = re.findall(r"\]\((?![a-z]+:)([^)#\s]+)", guide.read_text(encoding="utf-8"))
        missing |= {link for link in links if os.path.normpath(folder / link) not in files}
    outside = {link for link in missing if not link.startswith("../tests/")}
    assert outside == SHIPPED_ELSEWHERE.keys()
    assert {place for place in SHIPPED_ELSEWHERE.values() if place} <= files


def test_settings_file(system: DebianRoot) -> None:
    """The settings file is a configuration file of dpkg; what it shows commented out is known, and is the default."""
    assert "/etc/wfx/wfx.yml" in system.run("dpkg-query", "--show", "-f", "${Conffiles}", "wfx").stdout
    usual = json.loads(system.run("wfx", "config", "--output=json", "--config=").stdout)
    text = system.text("/etc/wfx/wfx.yml")
    keys = [line.removeprefix("#") for line in text.splitlines() if line.startswith("#") and line[1:2].isalpha()]
    assert len(keys) > 10
    write(system, "/tmp/all.yml", "\n".join(keys))
    system.run("mkdir", "-p", "/srv/wfx")
    ended = system.run("wfx", "config", "--config=/tmp/all.yml", "--output=json")
    assert "unknown" not in ended.stderr
    assert usual != json.loads(ended.stdout)


def test_setting_for_scripts(system: DebianRoot) -> None:
    """The file for services with scripts, put where the guide says, allows what the unit refuses, and nothing else."""
    (words,) = commands("install ")
    system.run(*words)
    assert system.text(words[-1]).splitlines()[-2:] == ["[Service]", "MemoryDenyWriteExecute=no"]
    assert "MemoryDenyWriteExecute=yes" in system.text(f"{UNITS}/wfx.service")


def test_every_command(system: DebianRoot) -> None:
    """With the service that wfx.service starts, each command of each program works."""

    def run(program: str, *arguments: str, stdin: str = "") -> str:
        return system.run(program, *arguments, folder="/var/lib/wfx", input=stdin).stdout

    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    with started(system, "wfx.service") as service:
        eventually(lambda: service.told("READY=1"), "the service serves")
        check = CommandCheck(run, PORTS)
        check.run(head.strip())
    assert check.unused() == set()


def test_service(system: DebianRoot) -> None:
    """wfx.service runs as its own user in its directory, works within its sandbox, and reloads and stops when told."""
    with started(system, "wfx.service") as service:
        eventually(lambda: service.told("WATCHDOG=1"), "it gives signs of life")
        status = Path(f"/proc/{service.process.pid}/status").read_text()
        assert f"Uid:\t{system.run('id', '-u', 'wfx').stdout.strip()}\t" in status
        assert "Seccomp:\t2" in status
        assert "Umask:\t0007" in status
        url = "http://127.0.0.1:8081/api/wfx/v1"
        assert curl(system, "-H", "X-Response-Filter: [limit(3; repeat(1))] | length", f"{url}/jobs") == "3\n"
        post(system, f"{url}/workflows", {"name": "wide", "states": [{"name": "S"}], "transitions": []})
        made = post(
            system, f"{url}/jobs", {"workflow": "wide", "clientId": "c", "definition": {"n": list(range(5000))}}
        )
        assert made["definition"]["n"][-1] == 4999
        assert system.run("stat", "-c", "%U %a", "/var/lib/wfx/wfx.db").stdout == "wfx 600\n"
        (reload,) = [line for line in system.text(f"{UNITS}/wfx.service").splitlines() if "ExecReload=" in line]
        system.run(*shlex.split(reload.partition("=")[2].replace("$MAINPID", str(service.process.pid))))
        eventually(lambda: service.told("RELOADING=1"), "it reloads")
    assert any("STOPPING=1" in line for line in service.lines)


def test_instance(system: DebianRoot) -> None:
    """Behind the sockets of wfx@one.socket, wfx@one.service serves devices on the first and operators on the second."""
    settings = [line.partition("=") for line in system.text(f"{UNITS}/wfx@.socket").splitlines()]
    paths = [value.replace("%i", "one") for name, _, value in settings if name == "ListenStream"]
    assert [os.path.basename(path) for path in paths] == ["client.sock", "mgmt.sock"]  # noqa: PTH119  # paths of another system
    assert ("SocketMode", "=", "0660") in settings
    system.run("mkdir", "-p", "/run/wfx/one")
    activate = ("systemd-socket-activate", *(f"--listen={path}" for path in paths))
    with started(system, "wfx@.service", "one", activate) as service:
        eventually(lambda: system.run("test", "-S", paths[1], check=False).returncode == 0, "it listens")
        refused, made = (
            system.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", path, "-d",
                       '{"name": "w", "states": [{"name": "S"}], "transitions": []}', "-H",
                       "Content-Type: application/json", "http://wfx/api/wfx/v1/workflows").stdout
            for path in paths
        )  # fmt: skip
        assert (refused, made) == ("403", "201")
        eventually(lambda: service.told("READY=1"), "it tells that it serves")
        for each in (*commands("wfxctl --client-unix"), *commands("wfxctl --mgmt-unix"), *commands("curl --unix")):
            assert system.run(*each).stdout
        assert system.run("test", "-f", "/var/lib/wfx/one/wfx.db").returncode == 0


DIFFERENT = {"Description", "Wants", "Requires", "After", "ExecStart", "WorkingDirectory", "StateDirectory", "Also"}
"""Settings that are not the same for the only instance and for instances with names."""


def test_units_are_alike() -> None:
    """Instances with names are started and confined as the only instance is, but for what is listed above."""
    one, many = (
        [line for line in (ROOT / "share" / "systemd" / name).read_text().splitlines() if not line.startswith("#")]
        for name in ("wfx.service", "wfx@.service")
    )
    names = {line.partition("=")[0] for line in {*one} ^ {*many}}
    assert names == DIFFERENT
    rest = [[line for line in lines if line.partition("=")[0] not in DIFFERENT] for lines in (one, many)]
    assert rest[0] == rest[1]


@pytest.mark.parametrize("unit", ["wfx.service", "wfx@.service"])
def test_exposure(unit: str) -> None:
    """systemd-analyze rates what the service could do to the system with at most 2.0 of 10."""
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager"]
    rated = subprocess.run(
        [*command, str(ROOT / "share" / "systemd" / unit)], capture_output=True, text=True, check=False
    )
    assert rated.returncode == 0, rated.stdout + rated.stderr
    assert "Overall exposure level" in rated.stdout


def test_units_are_valid(system: DebianRoot) -> None:
    """Nothing is wrong with the units as far as systemd can tell."""
    units = [f"{UNITS}/{name}" for name in ("wfx.service", "wfx@one.service", "wfx@one.socket")]
    found = system.run("systemd-analyze", "verify", "--man=no", *units)
    assert found.stdout + found.stderr == ""


def test_enabling(system: DebianRoot) -> None:
    """The commands of the guide enable the service, and the sockets of an instance, for the next start."""
    for command in commands("systemctl enable"):
        system.run(*command)
    assert [command[2:] for command in commands("systemctl start")] == [["wfx.service"], ["wfx@one.socket"]]
    links = system.run("find", "/etc/systemd/system", "-name", "wfx*").stdout.split()
    assert {Path(link).parent.name + "/" + Path(link).name for link in links} >= {
        "multi-user.target.wants/wfx.service", "sockets.target.wants/wfx@one.socket"
    }  # fmt: skip


@contextmanager
def running(system: DebianRoot, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program of the system, and stop it."""
    process = subprocess.Popen(system.command(*words), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=DEADLINE)


def write(system: DebianRoot, place: str, content: str) -> None:
    """Make a file of the system."""
    system.run("sh", "-c", 'umask 022; cat >"$0"', place, input=content)


@pytest.fixture
def site(system: DebianRoot, tmp_path: Path) -> None:
    """Settings, certificate and password as the guide to operations has them."""
    authority = Authority(tmp_path)
    made = authority.sign("server", names="DNS:wfx.example")
    files = {"server.pem": made.certificate, "server.key": made.key, "authority.pem": authority.certificate}
    for name, file in files.items():
        write(system, f"/etc/wfx/{name}", file.read_text())
    write(system, "/etc/wfx/wfx.yml", shown("operations.md", "yaml", "# /etc/wfx/wfx.yml"))
    password = system.run("openssl", "passwd", "-apr1", "swordfish").stdout.strip()
    write(system, "/etc/nginx/wfx-operators", f"operator:{password}\n")
    write(system, "/etc/nginx/wfx-proxy.conf", shown("operations.md", "nginx", "# /etc/nginx/wfx-proxy.conf"))
    write(system, "/etc/nginx/conf.d/wfx.conf", shown("operations.md", "nginx", "upstream"))
    write(system, "/tmp/Caddyfile", shown("operations.md", "caddyfile"))


PROXIES = {"nginx": ("nginx", "-g", "daemon off;"), "Caddy": ("caddy", "run", "--config", "/tmp/Caddyfile")}


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("proxy", PROXIES)
def test_proxies(system: DebianRoot, proxy: str) -> None:
    """Behind the proxy that the guide shows, devices need no password, operators do, and events come as they happen."""
    names = ("--resolve", "wfx.example:443:127.0.0.1", "--resolve", "wfx.example:8444:127.0.0.1")
    client = ("curl", "-sS", "--cacert", "/etc/wfx/authority.pem", *names, "-H", "User-Agent: Mozilla/5.0")
    south, north = "https://wfx.example/api/wfx/v1", "https://wfx.example:8444/api/wfx/v1"
    code = ("-o", "/dev/null", "-w", "%{http_code}")
    user = ("--user", "operator:swordfish")

    def status(*words: str) -> str:
        ended = system.run(*client, *code, *words, check=False)
        return ended.stdout + ended.stderr

    send = ("-H", "Content-Type: application/json", "-d")
    with started(system, "wfx.service") as service, running(system, *PROXIES[proxy]):
        eventually(lambda: service.told("READY=1"), "the service serves")
        eventually(lambda: status(f"{south}/jobs") == "200", "the proxy serves devices")
        eventually(lambda: status(*user, f"{north}/jobs") == "200", "the proxy serves operators")
        workflow = json.dumps({"name": f"behind-{proxy}", "states": [{"name": "S"}], "transitions": []})
        assert status(*send, workflow, f"{south}/workflows") == "403"
        assert status(f"{north}/workflows") == "401"
        assert status(*send, workflow, *user, f"{north}/workflows") == "201"
        link = system.run(*client, "-D", "-", "https://wfx.example/").stdout
        assert "<https://wfx.example/api/wfx/v1/openapi.json>" in link
        with running(system, *client, "-N", "-D", "-", f"{south}/jobs/events") as stream:
            assert stream.stdout is not None
            assert any("200" in line for line in iter(stream.stdout.readline, "\r\n"))
            job = json.dumps({"workflow": f"behind-{proxy}", "clientId": "dana"})
            assert status(*send, job, *user, f"{north}/jobs") == "201"
            assert any('"CREATE"' in line for line in stream.stdout)


def test_removal(copy: DebianRoot) -> None:
    """Removed, the package leaves data and settings; purged, the settings go, and the data stays with its owner."""
    copy.run("sh", "-c", "echo data >/var/lib/wfx/wfx.db")
    (remove,) = commands("apt-get remove")
    copy.run(*remove, *QUICKLY, input="y\n")
    assert copy.run("sh", "-c", "ls -d /usr/lib/wfx /usr/bin/wfx; true").stdout == ""
    assert "trusted-proxy" in copy.text("/etc/wfx/wfx.yml")
    copy.run("dpkg", "--no-triggers", "--purge", "wfx")
    assert copy.run("sh", "-c", "ls -d /etc/wfx/wfx.yml; true").stdout == ""
    assert copy.text("/var/lib/wfx/wfx.db") == "data\n"
    assert copy.run("getent", "passwd", "wfx").stdout


@pytest.mark.parametrize(
    ("script", "arguments", "failing"),
    [("postinst", ("configure", "0.0.1"), "try-restart"), ("postinst", ("configure", "0.0.1"), "daemon-reload"),
     ("prerm", ("remove",), "stop"), ("postrm", ("remove",), "daemon-reload")],
)  # fmt: skip
def test_failing_systemctl(copy: DebianRoot, script: str, arguments: tuple[str, ...], failing: str) -> None:
    """A service that does not start, as for a setting that it refuses, keeps no upgrade or removal from ending."""
    copy.run("mkdir", "-p", "/run/systemd/system")
    write(copy, "/usr/bin/systemctl", f'#!/bin/sh\necho "$1" >>/tmp/called\n[ "$1" != {failing} ]\n')
    copy.run("chmod", "0755", "/usr/bin/systemctl")
    write(copy, "/tmp/script", (ROOT / "release" / "debian" / script).read_text())
    copy.run("sh", "/tmp/script", *arguments)
    assert failing in copy.text("/tmp/called")
