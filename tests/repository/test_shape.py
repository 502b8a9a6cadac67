"""The code stays small and plain."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("wfx", "wfxctl", "wfx_viewer", "plugins", "loadtest", "release")
MODULES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "generated" not in path.parts
)
LONGEST_MODULE = 400
LONGEST_FUNCTION = 40
VAGUE = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sizes(path: Path) -> None:
    """No module has more than 400 lines, no function more than 40."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_MODULE
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [f.name for f in functions if f.end_lineno is not None and f.end_lineno - f.lineno >= LONGEST_FUNCTION]
    assert long == []


def test_names() -> None:
    """Modules are named by what they are about."""
    assert len(MODULES) > 100
    assert [path for path in MODULES if VAGUE & {path.stem, *path.parent.name.split("_")}] == []
