"""What is shipped is complete, and what is installed is pinned."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain
from pathlib import Path

import httpx
import pytest

from wfx.demo.local import LocalService

ROOT = Path(__file__).parents[2]
SHIPPED = (
    "wfx/spec/wfx.openapi.json", "wfx/spec/fleet.openapi.json", "wfx/spec/rules.openapi.json",
    "wfx/spec/wfx.swagger.json", "wfx/spec/workflow.schema.json",
    "wfx/spec/workflows/wfx.workflow.dau.direct.yml", "wfx/store/sqlite/queries.sql",
    "wfx/store/sqlite/migrations/0001_initial.sql", "wfx/commandline/shells/completion.bash",
    "wfx_loadtest/report/page.js", "wfx_plugin/py.typed", "wfx/py.typed",
    "wfx/scripts/harness.js", "wfx/scripts/quickjs.wasm", "wfx/scripts/quickjs.LICENSE.txt",
    "wfx/console/built/index.html", "wfx/console/built/logo.svg", "wfx/console/built/manifest.json",
    "wfx/console/built/licenses.txt",
)  # fmt: skip


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


def test_wheel_has_no_sources_of_the_console(unpacked: Path) -> None:
    """Of the console the wheel holds what is served, and neither its sources nor what builds it."""
    assert [path.name for path in (unpacked / "wfx" / "console").iterdir()] == ["built"]


def test_wheel_works(unpacked: Path, tmp_path: Path) -> None:
    """The service runs from the wheel alone and serves its documents."""
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    with LocalService(tmp_path, environment=environment) as service:
        answer = httpx.get(f"{service.north}/api/wfx/v1/openapi.json", trust_env=False)
        assert answer.json()["openapi"] == "3.0.0"
        assert "<!doctype html>" in httpx.get(f"{service.north}/ui/", trust_env=False).text
        assert service.process is not None
        origin = [sys.executable, "-c", "import wfx; print(wfx.__file__)"]
        found = subprocess.run(origin, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert found.stdout.startswith(str(unpacked))


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("requirements.lock", 20),
        ("requirements-dev.lock", 20),
        ("requirements-build.lock", 1),
        ("requirements-npm.lock", 0),
    ],
)
def test_lock(name: str, least: int) -> None:
    """Each locked package has a version and hashes; no address is in the lock."""
    lock = (ROOT / name).read_text()
    packages = re.findall(r"^([a-z0-9.-]+)==[^ ]+ \\$", lock, re.MULTILINE)
    assert len(packages) > least
    assert lock.count("--hash=sha256:") >= len(packages)
    assert "://" not in lock
    assert "--index" not in lock


def test_lock_covers_dependencies() -> None:
    """Every dependency of the project and of its extras is locked."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    wanted = {re.split(r"[<>=\[]", requirement)[0].lower() for requirement in requirements}
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert wanted - locked == set()
