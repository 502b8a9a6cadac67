"""What is shipped is complete, and what is installed is pinned."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wfx.demo.local import LocalService

ROOT = Path(__file__).parents[2]
SHIPPED = (
    "wfx/spec/wfx.openapi.json", "wfx/spec/wfx.swagger.json", "wfx/spec/workflow.schema.json",
    "wfx/spec/workflows/wfx.workflow.dau.direct.yml", "wfx/store/sqlite/queries.sql",
    "wfx/store/sqlite/migrations/0001_initial.sql", "wfx/commandline/shells/completion.bash",
    "wfx_loadtest/report/page.js", "wfx_plugin/py.typed", "wfx/py.typed",
)  # fmt: skip

PROGRAMS = {
    "wfx": "wfx.cli", "wfxctl": "wfxctl.main", "wfx-loadtest": "wfx_loadtest.cli", "wfx-viewer": "wfx_viewer.cli",
}  # fmt: skip


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as it would be installed."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=100)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_wheel_is_complete(unpacked: Path) -> None:
    """The wheel holds the documents, SQL, scripts and type marks that the programs need."""
    assert [name for name in SHIPPED if not (unpacked / name).exists()] == []


def test_wheel_has_no_tests(unpacked: Path) -> None:
    """Tests and benchmarks stay at home."""
    assert {path.name for path in unpacked.iterdir() if path.is_dir()} == {
        "wfx", "wfxctl", "wfx_plugin", "wfx_loadtest", "wfx_viewer", next(unpacked.glob("*.dist-info")).name
    }  # fmt: skip


def test_wheel_works(unpacked: Path, tmp_path: Path) -> None:
    """The service runs from the wheel alone and serves its documents."""
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    with LocalService(tmp_path, environment=environment) as service:
        answer = httpx.get(f"{service.north}/api/wfx/v1/openapi.json", trust_env=False)
        assert answer.json()["openapi"] == "3.0.0"
        assert service.process is not None
        origin = [sys.executable, "-c", "import wfx; print(wfx.__file__)"]
        found = subprocess.run(origin, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert found.stdout.startswith(str(unpacked))


def closure(unpacked: Path) -> Iterator[metadata.Distribution]:
    """The packages that come along when the wheel is installed without extras."""
    (described,) = unpacked.glob("*.dist-info")
    waiting, seen = list(metadata.Distribution.at(described).requires or ()), set[str]()
    while waiting:
        wanted = Requirement(waiting.pop())
        name = canonicalize_name(wanted.name)
        if name not in seen and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
            seen.add(name)
            found = metadata.distribution(name)
            waiting.extend(found.requires or ())
            yield found


def test_a_plain_installation_has_all_it_imports(unpacked: Path, tmp_path: Path) -> None:
    """In a fresh environment with the wheel and its dependencies alone, without extras, all four programs work."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path)], check=True, timeout=100)
    (packages,) = tmp_path.glob("lib/python*/site-packages")
    for distribution in closure(unpacked):
        for top in {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")}:
            (packages / top).symlink_to(Path(str(distribution.locate_file(top))))
    for part in unpacked.iterdir():
        (packages / part.name).symlink_to(part)

    def run(program: str, *arguments: str) -> str:
        script = f"import sys; sys.argv[0] = '{program}'; from {PROGRAMS[program]} import main; main()"
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_COLOR": "1"}
        command = [str(tmp_path / "bin" / "python"), "-c", script, *arguments]
        ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100,
                               check=False)  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    assert "wfx version" in run("wfx", "--version")
    with LocalService(tmp_path) as service:
        ports = (f"--client-port={service.ports['south']}", f"--mgmt-port={service.ports['north']}")
        assert "Status Codes" in run("wfx-loadtest", *ports, "--duration=1s", "--client-host=127.0.0.1")
        assert run("wfxctl", *ports, "workflow", "query", "--filter=.content[].name", "--raw").strip()
    assert run("wfx-loadtest", "populate", "--count=1", "--workers=1").startswith("1 jobs")
    assert "is sound" in run("wfx", "check")
    workflow = next(tmp_path.glob("lib/python*/site-packages/wfx/spec/workflows/*.kanban.yml"))
    assert "BACKLOG</text>" in run("wfx-viewer", "--output-format=svg", str(workflow))


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock(name: str) -> None:
    """Each locked package has a version and hashes; no address is in the lock."""
    lock = (ROOT / name).read_text()
    packages = re.findall(r"^([a-z0-9.-]+)==[^ ]+ \\$", lock, re.MULTILINE)
    assert len(packages) > 20
    assert lock.count("--hash=sha256:") >= len(packages)
    assert "://" not in lock
    assert "--index" not in lock


def test_lock_covers_dependencies() -> None:
    """Every dependency of the project is locked."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[<>=\[]", requirement)[0].lower() for requirement in project["dependencies"]}
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert wanted - locked == set()
