"""Finds the files of ``spec/``: documents, schemas and bundled workflows."""

from __future__ import annotations

from pathlib import Path


def find(name: str) -> Path:
    """Return the file of that name below ``spec/``: in an installed package, or in the source tree.

    Raises FileNotFoundError.
    """
    package = Path(__file__).parent
    for place in (package / "spec", package.parent / "spec"):
        if (found := place / name).exists():
            return found
    raise FileNotFoundError(f"{name} is missing from the installation (looked beside {package})")
