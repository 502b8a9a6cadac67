"""The bill of materials says what is locked, and nothing else."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from release import sbom
from release.components import LOCK, NotAsLocked, components

ROOT = Path(__file__).parents[2]
LOCKED = set(re.findall(r"^([a-z0-9.-]+==\S+) ", LOCK.read_text(), re.MULTILINE))


@pytest.fixture(scope="module", name="bill")
def _bill() -> dict[str, Any]:
    bill: dict[str, Any] = json.loads(sbom.text("cyclonedx"))
    return bill


def test_components(bill: dict[str, Any]) -> None:
    """It lists each locked package with its version, the hashes of the lock, and a licence."""
    assert {f"{part['name']}=={part['version']}" for part in bill["components"]} == LOCKED
    hashes = {each["content"] for part in bill["components"] for each in part["hashes"]}
    assert hashes == set(re.findall("sha256:([0-9a-f]{64})", LOCK.read_text()))
    assert all(part["licenses"] for part in bill["components"])
    assert bill["specVersion"] == "1.6"
    assert uuid.UUID(bill["serialNumber"].removeprefix("urn:uuid:"))


def test_dependencies(bill: dict[str, Any]) -> None:
    """Each package is needed by wfx, or by one that is."""
    graph = {row["ref"]: row["dependsOn"] for row in bill["dependencies"]}
    reached, waiting = set[str](), [bill["metadata"]["component"]["bom-ref"]]
    while waiting:
        one = waiting.pop()
        if one not in reached:
            reached.add(one)
            waiting.extend(graph[one])
    assert reached == graph.keys()
    assert len(graph) == len(LOCKED) + 1


def test_spdx() -> None:
    """In SPDX it lists the same packages and wfx, and each relation is between two of them."""
    document = json.loads(sbom.text("spdx"))
    names = {package["SPDXID"]: f"{package['name']}=={package['versionInfo']}" for package in document["packages"]}
    assert {name for name in names.values() if not name.startswith("wfx==")} == LOCKED
    ends = {row[end] for row in document["relationships"] for end in ("spdxElementId", "relatedSpdxElement")}
    assert ends - {"SPDXRef-DOCUMENT"} == names.keys()


def test_reproducible(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made twice for one commit it is the same, whenever that is."""
    first = sbom.text("cyclonedx")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert sbom.text("cyclonedx") == first


def test_another_version(tmp_path: Path) -> None:
    """Where another version is installed than is locked, nothing is made."""
    lock = tmp_path / "lock"
    lock.write_text(LOCK.read_text().replace("\nh11==", "\nh11==99.", 1))
    with pytest.raises(NotAsLocked, match=r"h11 \S+ is installed, the lock says 99\."):
        components(lock)
