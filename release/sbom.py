"""Bill of materials, as CycloneDX 1.6 or SPDX 2.3.

It has the packages of requirements.lock, the engine of scripts, and the libraries of the console.
"""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hatch_build import commit_of
from release.clock import build_time
from release.components import ROOT, Component, components, direct_needs, project
from release.console_parts import FOLDER, ConsolePart, console_parts
from release.engine_part import EnginePart, engine_part
from wfx.scripts.engine_file import SHA256
from wfx.version import COMMIT

_NAMESPACE = uuid.UUID("0b1f6f0e-2a52-5f0b-9d0e-6d0f1f2a7c11")
"""Whoever builds the same commit with the same packages gets the same serial number."""
_TOOL = "wfx-sbom"


def _time() -> str:
    return datetime.fromtimestamp(build_time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _serial(parts: list[Component]) -> uuid.UUID:
    told = [project()["version"], commit_of(ROOT), *(f"{part.name}=={part.version}" for part in parts), SHA256]
    told += [part.purl for part in console_parts()]
    return uuid.uuid5(_NAMESPACE, "\n".join(told))


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def _license(expression: str) -> list[dict[str, Any]]:
    compound = " " in expression
    return [{"expression": expression} if compound else {"license": {"id": expression}}]


def cyclonedx(parts: list[Component]) -> dict[str, Any]:
    """Describe the parts, and which of them needs which, as CycloneDX."""
    about = project()
    own = _purl(about["name"], about["version"])
    references = {part.name: _purl(part.name, part.version) for part in parts}
    engine, console = engine_part(), console_parts()
    brought = [engine.purl, *(part.purl for part in console)]
    needs = [(references[part.name], part.needs) for part in parts]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{_serial(parts)}",
        "version": 1,
        "metadata": {
            "timestamp": _time(),
            "tools": {"components": [{"type": "application", "name": _TOOL, "version": about["version"]}]},
            "component": {
                "type": "application", "bom-ref": own, "name": about["name"], "version": about["version"],
                "description": about["description"], "licenses": _license(about["license"]), "purl": own,
                "properties": [{"name": "wfx:commit", "value": commit_of(ROOT) or COMMIT}],
            },
        },
        "components": [
            {
                "type": "library", "bom-ref": references[part.name], "name": part.name, "version": part.version,
                "licenses": _license(part.license), "purl": references[part.name],
                "hashes": [{"alg": "SHA-256", "content": content} for content in part.hashes],
            }
            for part in parts
        ] + [_engine_component(engine), *(_console_component(part) for part in console)],
        "dependencies": [
            {"ref": own, "dependsOn": [*(references[name] for name in direct_needs()), *brought]},
            *({"ref": one, "dependsOn": [references[name] for name in names]} for one, names in needs),
            *({"ref": purl, "dependsOn": []} for purl in brought),
        ],
    }  # fmt: skip


def _engine_component(engine: EnginePart) -> dict[str, Any]:
    return {
        "type": "library", "bom-ref": engine.purl, "name": engine.name, "version": engine.version,
        "description": f"QuickJS as WebAssembly: {engine.file}", "licenses": _license(engine.license),
        "purl": engine.purl, "hashes": [{"alg": "SHA-256", "content": engine.sha256}],
        "properties": [{"name": "wfx:file", "value": engine.file}],
    }  # fmt: skip


def _console_component(part: ConsolePart) -> dict[str, Any]:
    return {
        "type": "library", "bom-ref": part.purl, "name": part.name, "version": part.version,
        "licenses": _license(part.license), "purl": part.purl,
        "hashes": [{"alg": "SHA-512", "content": part.sha512}],
        "properties": [{"name": "wfx:file", "value": FOLDER}],
    }  # fmt: skip


def spdx(parts: list[Component]) -> dict[str, Any]:
    """Describe the parts, and which of them needs which, as SPDX."""
    about = project()
    own = _spdx_package(about["name"], about["version"], about["license"])
    brought = [_engine_package(engine_part()), *map(_console_package, console_parts())]
    needs = [(about["name"], direct_needs()), *((part.name, part.needs) for part in parts)]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{about['name']}-{about['version']}",
        "documentNamespace": f"https://spdx.org/spdxdocs/{about['name']}-{about['version']}-{_serial(parts)}",
        "creationInfo": {"created": _time(), "creators": [f"Tool: {_TOOL}-{about['version']}"]},
        "packages": [own, *(_spdx_package(part.name, part.version, part.license) for part in parts), *brought],
        "relationships": [
            _relationship("SPDXRef-DOCUMENT", "DESCRIBES", own["SPDXID"]),
            *(_relationship(own["SPDXID"], "CONTAINS", part["SPDXID"]) for part in brought),
            *(
                _relationship(_spdx_name(one), "DEPENDS_ON", _spdx_name(name))
                for one, names in needs for name in names
            ),
        ],
    }  # fmt: skip


def _spdx_name(name: str) -> str:
    return f"SPDXRef-Package-{name}"


def _relationship(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _spdx_package(name: str, version: str, expression: str) -> dict[str, Any]:
    reference = {
        "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": _purl(name, version)
    }  # fmt: skip
    return {
        "SPDXID": _spdx_name(name), "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "licenseDeclared": expression,
        "copyrightText": "NOASSERTION", "externalRefs": [reference],
    }  # fmt: skip


def _engine_package(engine: EnginePart) -> dict[str, Any]:
    package = _spdx_package(engine.name, engine.version, engine.license)
    (reference,) = package["externalRefs"]
    return package | {
        "packageFileName": engine.file,
        "checksums": [{"algorithm": "SHA256", "checksumValue": engine.sha256}],
        "externalRefs": [reference | {"referenceLocator": engine.purl}],
    }


def _console_package(part: ConsolePart) -> dict[str, Any]:
    package = _spdx_package(part.name, part.version, part.license)
    (reference,) = package["externalRefs"]
    return package | {
        "SPDXID": _spdx_name(part.spdx_name),
        "checksums": [{"algorithm": "SHA512", "checksumValue": part.sha512}],
        "externalRefs": [reference | {"referenceLocator": part.purl}],
    }


FORMATS: dict[str, Callable[[list[Component]], dict[str, Any]]] = {"cyclonedx": cyclonedx, "spdx": spdx}


def text(form: str) -> str:
    """Return the bill of materials in one of the formats."""
    return json.dumps(FORMATS[form](components()), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Print the bill of materials."""
    parser = argparse.ArgumentParser(prog="python -m release.sbom", description=__doc__)
    parser.add_argument("--format", choices=FORMATS, default="cyclonedx")
    sys.stdout.write(text(parser.parse_args().format))


if __name__ == "__main__":
    main()
