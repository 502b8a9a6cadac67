"""The wheel and the source archive: installed where nothing else is, each command of each program is used."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from release.components import components
from tests.installation.command_check import SCRIPTS, CommandCheck
from tests.installation.guides import commands
from wfx.demo.local import LocalService

ROOT = Path(__file__).parents[2]
DEADLINE = 300.0


def build(source: Path, target: Path, kind: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Build a wheel or a source archive, without git's ways to find a clone further up."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_COMMIT"} | variables
    return subprocess.run(
        command, cwd=source, env=environment, capture_output=True, text=True, timeout=DEADLINE, check=False
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, unpacked where there is no git."""
    folder = tmp_path_factory.mktemp("source")
    built = build(ROOT, folder, "sdist")
    assert built.returncode == 0, built.stderr
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return archive.with_name(archive.name.removesuffix(".tar.gz"))


@pytest.fixture(scope="module")
def wheel(source: Path) -> Path:
    """The wheel that is built from the source archive."""
    built = build(source, source.parent, "wheel")
    assert built.returncode == 0, built.stderr
    (made,) = source.parent.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment, made as the guide says; the locked packages come from this one."""
    folder = tmp_path_factory.mktemp("environment")
    (folder / "dist").symlink_to(wheel.parent)
    (make,) = commands("python3 -m venv")
    subprocess.run([sys.executable, *make[1:]], cwd=folder, check=True, timeout=DEADLINE)
    locked, own = commands("./installed/bin/python -m pip install")
    assert locked[-2:] == ["-r", "./requirements.lock"]
    (packages,) = folder.glob("installed/lib/python*/site-packages")
    for part in components():
        for top in {file.parts[0] for file in part.installed.files or () if file.parts[0] not in ("..", "__pycache__")}:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(part.installed.locate_file(top))))
    subprocess.run(own, cwd=folder, check=True, timeout=DEADLINE, capture_output=True)
    (told,) = commands("./installed/bin/wfx")
    subprocess.run(told, cwd=folder, check=True, timeout=DEADLINE, capture_output=True)
    return folder / "installed" / "bin"


def test_every_command(programs: Path, tmp_path: Path) -> None:
    """Each program is there after a plain installation, each command of it works, and the version tells the commit."""
    environment = {"PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path), "NO_COLOR": "1"}

    def run(program: str, *arguments: str, stdin: str = "") -> str:
        ended = subprocess.run(
            [program, *arguments], cwd=tmp_path, env=environment, input=stdin, capture_output=True, text=True,
            timeout=DEADLINE, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, f"{program} {arguments}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    assert {path.name for path in programs.iterdir()} >= SCRIPTS.keys()
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    with LocalService(tmp_path, program=str(programs / "wfx")) as service:
        check = CommandCheck(run, service.ports)
        check.run(head.strip())
    assert check.unused() == set()


def test_python_client(programs: Path, tmp_path: Path) -> None:
    """Programs that use the Python client work with the installed wheel, which has its types."""
    with LocalService(tmp_path, program=str(programs / "wfx")) as service:
        source = f"""
import pathlib, wfx
from wfx.client import Client, JobNotFound
with Client({service.north!r}) as client:
    try:
        client.get_job("none")
    except JobNotFound:
        print(client.health().status, pathlib.Path(wfx.__file__).with_name("py.typed").exists())
"""
        command = [programs / "python", "-I", "-c", source]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (ran.stdout, ran.stderr) == ("up True\n", "")


def test_commit_is_needed(source: Path, tmp_path: Path) -> None:
    """Nothing is built of which the commit is not known, and SOURCE_COMMIT tells it where there is no clone."""
    (source / "wfx" / "commit.txt").rename(tmp_path / "commit.txt")
    try:
        refused = build(source, tmp_path, "wheel")
        assert refused.returncode != 0
        assert "cannot tell which commit this is" in refused.stderr
        assert not list(tmp_path.glob("*.whl"))
        assert build(source, tmp_path, "wheel", SOURCE_COMMIT="abc123").returncode == 0
    finally:
        (tmp_path / "commit.txt").rename(source / "wfx" / "commit.txt")


def test_source_archive_tells_the_commit(source: Path) -> None:
    """The source archive records the commit that it was made from."""
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?\n", (source / "wfx" / "commit.txt").read_text())
