"""The container file: its steps, run one after the other in a root of their own, make what it promises.

No builder is needed. What the tests cannot have is the base image, and an index: Python is the one that runs the tests,
and where a step installs a lock file, the packages of that lock that are installed here are copied.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from waiting import eventually

from release.components import components
from tests.certificates import Authority
from tests.installation.debian_root import DEADLINE, DebianRoot, debian_root

ROOT = Path(__file__).parents[2]
Step = tuple[str, str]
PYTHON = Path(sys._base_executable)  # type: ignore[attr-defined]  # the interpreter outside of the environment


def steps() -> list[Step]:
    """The instructions of the file."""
    lines = (ROOT / "Containerfile").read_text(encoding="utf-8").splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines if line and not line.startswith("#")]


def said(word: str) -> list[str]:
    """What the file says by an instruction."""
    return [text for name, text in steps() if name == word]


@dataclass
class Image:
    """What the steps have made."""

    root: DebianRoot
    folder: str = "/"
    variables: dict[str, str] = field(
        default_factory=lambda: {"PATH": f"{PYTHON.resolve().parent}:/usr/sbin:/usr/bin:/bin"}
    )

    def command(self, *words: str, user: str = "") -> list[str]:
        """What to call to run words in it."""
        become = ("setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs") if user else ()
        told = (f"{name}={value}" for name, value in self.variables.items())
        return self.root.command(*become, "env", "-i", *told, *words, folder=self.folder)

    def run(self, *words: str, user: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program in it."""
        ended = subprocess.run(
            self.command(*words, user=user), capture_output=True, text=True, timeout=DEADLINE, check=False
        )
        assert ended.returncode == 0 or not check, f"{words}: {ended.stdout}{ended.stderr}"
        return ended

    def step(self, name: str, text: str) -> None:
        """Do what one instruction says."""
        locked = re.fullmatch(r".*--require-hashes (?:--target (\S+) )?-r (\S+)", text)
        if name == "RUN" and locked:
            site = locked[1] or f"/opt/wfx/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
            self.install(ROOT / locked[2], site)
        elif name == "RUN":
            self.run("sh", "-ec", text)
        elif name == "ENV":
            self.variables |= dict(each.split("=", 1) for each in text.split())
        elif name == "ARG" and text == "SOURCE_COMMIT":
            self.variables["SOURCE_COMMIT"] = "c0ffee"
        elif name == "WORKDIR":
            self.folder = text
            self.root.run("mkdir", "-p", text)
        elif name == "COPY" and not text.startswith("--from"):
            self.copy(*text.split()[:-1])

    def install(self, lock: Path, site: str) -> None:
        """Copy the packages of a lock file."""
        for part in components(lock):
            files = [str(file) for file in part.installed.files or () if ".." not in file.parts]
            self.unpack(Path(str(part.installed.locate_file(""))), files, site)

    def copy(self, *what: str) -> None:
        """Copy files of the repository, which is what a clean clone has."""
        listed = subprocess.run(["git", "ls-files", "-z", *what], cwd=ROOT, capture_output=True, check=True, text=True)
        self.unpack(ROOT, [name for name in listed.stdout.split("\0") if name], self.folder)

    def unpack(self, source: Path, names: list[str], target: str) -> None:
        """Copy files into it."""
        self.root.run("mkdir", "-p", target)
        there = "\0".join(name for name in names if (source / name).exists())
        pack = ["tar", "-c", "--no-recursion", "--null", "-T", "-"]
        archive = subprocess.run(pack, cwd=source, input=there.encode(), capture_output=True, check=True)
        unpack = self.root.command("tar", "-x", "--no-same-owner", folder=target)
        subprocess.run(unpack, input=archive.stdout, check=True, timeout=DEADLINE)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image, as far as that goes without its base."""
    with debian_root(tmp_path_factory.mktemp("image")) as root:
        for folder in PYTHON.resolve().parents:  # whoever runs the tests may have it where only they can go
            root.run("chmod", "o+x", str(folder))
        made = Image(root)
        for name, text in steps():
            if name == "FROM":
                made = Image(root)
            made.step(name, text)
        yield made


USER, CHECK, ENTRY = said("USER")[0].split(":")[0], said("HEALTHCHECK")[0].split(" CMD ", 1)[1], said("ENTRYPOINT")[0]


@dataclass(frozen=True)
class Container:
    """The service as the first process, so that the health check finds it."""

    image: Image
    process: int

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program beside it, as its user."""
        told = (f"{name}={value}" for name, value in self.image.variables.items())
        enter = ("nsenter", f"--target={self.process}", "--mount", "--pid", "--root", "--net")
        become = ("setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", "--no-new-privs")
        return subprocess.run(
            [*enter, *become, "env", "-i", "-C", self.image.folder, *told, *words],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    def is_healthy(self) -> bool:
        """What the health check of the image says."""
        return self.run(*json.loads(CHECK)).returncode == 0


@contextmanager
def container(image: Image, *arguments: str, **variables: str) -> Iterator[Container]:
    """Run the entry point with arguments and variables, and stop it."""
    image = replace(image, variables=image.variables | variables)
    become = ("setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", "--no-new-privs")
    command = image.command("unshare", "--pid", "--fork", "--mount-proc", *become, *json.loads(ENTRY), *arguments)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    eventually(lambda: process.poll() is not None or children.read_text(), "the first process is there")
    first = int(children.read_text())
    try:
        yield Container(image, first)
    finally:
        os.kill(first, signal.SIGTERM)
        assert process.wait(DEADLINE) == 0


def test_service(image: Image) -> None:
    """Entry point and health check work as the user of the image, on both ports, with the data in the volume."""
    assert int(USER) > 0
    assert image.run(*json.loads(CHECK), user=USER, check=False).returncode != 0
    assert json.loads(ENTRY) == ["wfx"]
    with container(image) as service:
        eventually(service.is_healthy, "the service is healthy")
        (volume,) = said("VOLUME")
        assert image.run("stat", "-c", "%u", f"{volume}/wfx.db", user=USER).stdout.strip() == USER
        for port in said("EXPOSE")[0].split():
            told = image.root.run("curl", "-sS", f"http://127.0.0.1:{port}/version").stdout
            assert json.loads(told)["commit"] == "c0ffee"
        listening = image.root.run("ss", "--no-header", "--listening", "--numeric", "--tcp").stdout
        assert "*:8081" in listening
        assert "northbound\tup" in service.run("wfxctl", "health", "--color=never").stdout


@pytest.fixture(scope="module")
def certificates(image: Image, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Certificate and key of a server, and the authority, in the image."""
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    made = authority.sign("server", names="DNS:wfx.example")
    files = {"server.pem": made.certificate, "server.key": made.key, "authority.pem": authority.certificate}
    for name, file in files.items():
        place = f"/opt/{name}"
        image.root.run("sh", "-c", 'cat >"$0" && chmod 0644 "$0"', place, input=file.read_text())


HTTPS = ("--scheme=https", "--tls-certificate=/opt/server.pem", "--tls-key=/opt/server.key")
ELSEWHERE: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "port as argument": (("--client-port=9090",), {}),
    "port as variable": ((), {"WFX_CLIENT_PORT": "9090"}),
    "https": (HTTPS, {}),
    "https with client certificates": ((*HTTPS, "--tls-ca=/opt/authority.pem"), {}),
    "unix": (("--scheme=unix", "--client-unix-socket=c.sock", "--mgmt-unix-socket=m.sock"), {}),
}
"""Arguments and variables by which the service listens elsewhere than over HTTP on port 8080."""


@pytest.mark.usefixtures("certificates")
@pytest.mark.parametrize("settings", ELSEWHERE)
def test_health_check_follows_settings(image: Image, settings: str) -> None:
    """Wherever the service is told to listen, by arguments or variables, a container that serves is healthy."""
    arguments, variables = ELSEWHERE[settings]
    with container(image, *arguments, **variables) as service:
        eventually(service.is_healthy, "the service is healthy")


@pytest.mark.parametrize(
    ("arguments", "variables"), [(("--mgmt-host=127.0.0.1",), {}), ((), {"WFX_MGMT_HOST": "127.0.0.1"})]
)
def test_northbound_address(image: Image, arguments: tuple[str, ...], variables: dict[str, str]) -> None:
    """An argument or a variable takes the northbound API back from the network."""
    with container(image, *arguments, **variables) as service:
        eventually(service.is_healthy, "the service is healthy")
        listening = image.root.run("ss", "--no-header", "--listening", "--numeric", "--tcp").stdout
        assert "127.0.0.1:8081" in listening


def test_nothing_to_install_with(image: Image) -> None:
    """The image has no pip beside the service, and the user cannot write to the program."""
    assert image.run("/opt/wfx/bin/python", "-m", "pip", check=False).returncode != 0
    assert image.run("touch", "/opt/wfx/lib/x", user="65532", check=False).returncode != 0


def test_base_image_is_named_once() -> None:
    """Both stages start from the same image, so that what the first one compiles fits the second."""
    first, second = said("FROM")
    assert first.split()[0] == second == "${PYTHON}"
