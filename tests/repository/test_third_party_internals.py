"""What we override or use of other packages' classes, as third_party_internals.yml lists it, stays as it is."""

from __future__ import annotations

import ast
import dis
import importlib
import inspect
import pkgutil
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SOURCES = {
    ROOT: ("wfx", "wfxctl", "wfx_viewer"),
    ROOT / "plugins": ("wfx_plugin", "examples"),
    ROOT / "loadtest": ("wfx_loadtest", "bench"),
}
OURS = {package for packages in SOURCES.values() for package in packages}
TABLE = yaml.load(Path(__file__).with_name("third_party_internals.yml").read_text(), Loader=yaml.CSafeLoader)
ROWS = [
    (where, owner, member, parameters)
    for where, owners in TABLE.items()
    for owner, functions in owners.items()
    for member, parameters in [
        *((name, "an attribute") for name in functions.pop("attributes", "").split()),
        *functions.items(),
    ]
]
packages_distributions = cache(metadata.packages_distributions)


def top(name: str) -> str:
    """The package that a dotted name begins with."""
    return name.partition(".")[0]


def distribution(owner: str) -> str:
    """What to install for a package."""
    return canonicalize_name(packages_distributions()[top(owner)][0])


def members(cls: Any) -> set[str]:
    """What a class itself defines, and the attributes that its functions set."""
    codes = [value for value in vars(cls).values() if inspect.isfunction(value)]
    return {*vars(cls), *(i.argval for code in codes for i in dis.get_instructions(code) if i.opname == "STORE_ATTR")}


def describe(owner: str, member: str) -> str:
    """A function by its parameters, without types: these are written differently from one Python to the next."""
    try:
        found = pkgutil.resolve_name(owner)
    except (ImportError, AttributeError):
        return "missing"
    value = inspect.getattr_static(found, member, None)
    value = value.__func__ if isinstance(value, staticmethod) else value
    if not callable(value):
        return "an attribute" if any(member in members(c) for c in getattr(found, "__mro__", ())) else "missing"
    signature = inspect.signature(value)
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    text = str(signature.replace(parameters=plain, return_annotation=inspect.Signature.empty))
    return f"async {text}" if inspect.iscoroutinefunction(value) else text


@pytest.mark.parametrize(("where", "owner", "member", "expected"), ROWS)
def test_member(where: str, owner: str, member: str, expected: str) -> None:
    """What we override or use of another package is there, with the parameters that we rely on."""
    package, found = distribution(owner), describe(owner, member)
    assert found == expected, (
        f"{package} {metadata.version(package)}: {owner}.{member} was {expected} and is {found}; {where} relies on it"
    )


def test_upper_bounds() -> None:
    """A package of which we override or use internals is not installed in a version that may have changed them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [Requirement(text) for text in chain(project["dependencies"], *project["optional-dependencies"].values())]
    bounded = {canonicalize_name(one.name) for one in wanted if any(part.operator == "<" for part in one.specifier)}
    assert {distribution(owner) for _, owner, _, _ in ROWS} - bounded == set()


def derived() -> Iterator[type]:
    """Our classes that derive from others."""
    for root, packages in SOURCES.items():
        for path in (path for package in packages for path in (root / package).rglob("*.py")):
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            names = [node.name for node in nodes if isinstance(node, ast.ClassDef) and node.bases]
            if names and "generated" not in path.parts:
                module = importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))
                yield from (getattr(module, name) for name in names)


def touched(cls: type) -> Iterator[tuple[str, type, str]]:
    """Members of other packages' classes that a class of ours overrides, or uses of itself."""
    own = [c for c in cls.__mro__ if top(c.__module__) in OURS]
    names = {name for c in own for name, value in vars(c).items() if name[:2] != "__" or inspect.isfunction(value)}
    for node in (node for c in own for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(c))))):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"self", "super()"}:
            names.add(node.attr)
    for base in cls.__mro__:
        if top(base.__module__) not in OURS | sys.stdlib_module_names:
            yield from ((cls.__name__, base, name) for name in names & members(base))


def test_table_is_complete() -> None:
    """Whatever a class of ours overrides, or uses of itself, that comes from another package is in the table."""
    found = {row for cls in derived() for row in touched(cls)}
    assert len({name for name, _, _ in found}) > 10
    listed = {(where, pkgutil.resolve_name(owner), member) for where, owner, member, _ in ROWS}
    assert sorted(f"{where}: {owner.__module__}.{owner.__name__}.{name}" for where, owner, name in found - listed) == []
