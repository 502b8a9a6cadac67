"""Finds the files of ``spec/``: documents, schemas and bundled workflows."""

from __future__ import annotations

from pathlib import Path


def find(name: str) -> Path:
    """Return the file of that name below ``spec/``: in an installed package, or in the source tree.

    Raises FileNotFoundError.
    """
    return newest(name)


def newest(*names: str, package: Path = Path(__file__).parent) -> Path:
    """Return the file of these that was written last; of equal ones the first. Raises FileNotFoundError."""
    places = (package / "spec", package.parent / "spec")
    found = [path for name in names for place in places if (path := place / name).exists()]
    if not found:
        raise FileNotFoundError(f"{names[-1]} is missing from the installation (looked beside {package})")
    return max(found, key=lambda path: path.stat().st_mtime)
