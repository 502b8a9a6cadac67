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
from release.console_parts import LICENSE_TEXTS, console_parts
from release.engine_part import LICENSE_TEXT, engine_part
from wfx.scripts.engine_file import SHA256

ROOT = Path(__file__).parents[2]
ENGINE = "quickjs-wasi==3.7.0"
CONSOLE = {f"{part.name}=={part.version}" for part in console_parts()}
LOCKED = set(re.findall(r"^([a-z0-9.-]+==\S+) ", LOCK.read_text(), re.MULTILINE))


@pytest.fixture(scope="module", name="bill")
def _bill() -> dict[str, Any]:
    bill: dict[str, Any] = json.loads(sbom.text("cyclonedx"))
    return bill


def test_components(bill: dict[str, Any]) -> None:
    """It lists each locked package, the engine of scripts and the console's libraries: version, hashes, licence."""
    assert {f"{part['name']}=={part['version']}" for part in bill["components"]} == {*LOCKED, ENGINE, *CONSOLE}
    hashes = {each["content"] for part in bill["components"] for each in part["hashes"]}
    assert hashes == {
        *re.findall("sha256:([0-9a-f]{64})", LOCK.read_text()),
        SHA256,
        *(part.sha512 for part in console_parts()),
    }
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
    assert len(graph) == len(LOCKED) + 2 + len(CONSOLE)


def test_spdx() -> None:
    """In SPDX it lists the same packages and wfx, and each relation is between two of them."""
    document = json.loads(sbom.text("spdx"))
    names = {package["SPDXID"]: f"{package['name']}=={package['versionInfo']}" for package in document["packages"]}
    assert {name for name in names.values() if not name.startswith("wfx==")} == {*LOCKED, ENGINE, *CONSOLE}
    ends = {row[end] for row in document["relationships"] for end in ("spdxElementId", "relatedSpdxElement")}
    assert ends - {"SPDXRef-DOCUMENT"} == names.keys()


def test_the_engine_of_scripts(bill: dict[str, Any]) -> None:
    """Both lists name the file of the engine with version, licence, hash and origin, and its licence has a text."""
    (part,) = [each for each in bill["components"] if each["name"] == "quickjs-wasi"]
    assert part["purl"] == "pkg:npm/quickjs-wasi@3.7.0"
    assert part["hashes"] == [{"alg": "SHA-256", "content": SHA256}]
    assert part["properties"] == [{"name": "wfx:file", "value": "wfx/scripts/quickjs.wasm"}]
    packages = json.loads(sbom.text("spdx"))["packages"]
    (package,) = [each for each in packages if each["name"] == "quickjs-wasi"]
    assert package["checksums"] == [{"algorithm": "SHA256", "checksumValue": SHA256}]
    assert package["externalRefs"][0]["referenceLocator"] == part["purl"]
    assert package["licenseDeclared"] == part["licenses"][0]["expression"] == engine_part().license
    text = LICENSE_TEXT.read_text(encoding="utf-8")
    assert all(words in text for words in ("Vercel, Inc.", "Fabrice Bellard", "UNICODE LICENSE V3", "LLVM Exceptions"))


def test_the_console(bill: dict[str, Any]) -> None:
    """The console has the libraries that its pages are made with, and the texts of their licences, but no tools."""
    names = {part.name for part in console_parts()}
    assert {"preact", "htm", "@preact/signals"} <= names
    assert names.isdisjoint({"esbuild", "typescript", "@types/node"})
    (part,) = [each for each in bill["components"] if each["name"] == "@preact/signals"]
    assert part["purl"].startswith("pkg:npm/%40preact/signals@")
    texts = LICENSE_TEXTS.read_text(encoding="utf-8")
    assert all(f"\n{part.name} {part.version}\n" in f"\n{texts}" for part in console_parts())


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
