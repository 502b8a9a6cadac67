"""Parameters of a connection: of the storage option, of a service file, then of the environment, as libpq has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wfx.domain.errors import StoreUnusable
from wfx.store.postgres import conninfo
from wfx.store.postgres.keywords import KEYWORDS

_SYSTEM_SERVICES = ("/etc/postgresql-common/pg_service.conf", "/etc/pg_service.conf")
_NOT_IN_SERVICE = "service"
_NAMES_OF_FILES = ("passfile",)
"""Parameters of which nothing is sent to the server, nor to the driver."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value and where it comes from, for messages; what it is may be a password."""

    value: str = field(repr=False)
    origin: str


def gather(option: str, environment: Mapping[str, str]) -> dict[str, Parameter]:
    """Return all parameters that are said. Raises StoreUnusable where one is wrong."""
    given = conninfo.parse(option)
    found = {name: Parameter(value, f"parameter {name} of the storage option") for name, value in given.items()}
    service = given.get("service", environment.get("PGSERVICE"))
    if service:
        found = {**_of_service(service, environment), **found}
    for name, keyword in KEYWORDS.items():
        said = environment.get(keyword.variable or "")  # an empty variable says nothing
        if said and name not in found:
            found[name] = Parameter(said, f"environment variable {keyword.variable}")
    for name, parameter in found.items():
        if wrong := KEYWORDS[name].check(parameter.value):
            raise StoreUnusable(f"{parameter.origin} {wrong}")
        if name not in _NAMES_OF_FILES and not is_text(parameter.value):
            raise StoreUnusable(f"{parameter.origin} has bytes that are no UTF-8")
    return found


def is_text(value: str) -> bool:
    """Tell whether all bytes of the value, as the environment has it, are UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def home(environment: Mapping[str, str]) -> Path | None:
    """Return the user's directory, where libpq looks for files; None if there is none."""
    if environment.get("HOME"):
        return Path(environment["HOME"])
    try:
        return Path.home()
    except RuntimeError:
        return None


def _of_service(name: str, environment: Mapping[str, str]) -> dict[str, Parameter]:
    """Read the section of a service. Raises StoreUnusable if no file has it."""
    own = environment.get("PGSERVICEFILE")
    directory = home(environment)
    first = [Path(own)] if own else [directory / ".pg_service.conf"] if directory else []
    system = environment.get("PGSYSCONFDIR")
    others = [Path(system, "pg_service.conf")] if system else [Path(each) for each in _SYSTEM_SERVICES]
    for file in (*first, *others):
        lines = _lines(file, must_exist=own is not None and file == Path(own))
        for number, line in enumerate(lines):
            if line == f"[{name}]":
                return _section(lines, number + 1, f"in section [{name}] of {file}")
    raise StoreUnusable(f"there is no section [{name}] for the service in {' or '.join(map(str, (*first, *others)))}")


def _lines(file: Path, *, must_exist: bool) -> list[str]:
    try:
        return [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as exc:
        if must_exist or not isinstance(exc, FileNotFoundError):
            raise StoreUnusable(
                f"the service file {file} cannot be read: {getattr(exc, 'strerror', 'it is no UTF-8')}"
            ) from exc
        return []


def _section(lines: list[str], start: int, where: str) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for number, line in enumerate(lines[start:], start + 1):
        if line.startswith("["):
            break
        if not line or line.startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign or name not in KEYWORDS or name == _NOT_IN_SERVICE:
            raise StoreUnusable(f"line {number}, {where}, is not one of the known parameters with = and a value")
        found.setdefault(name, Parameter(value, f"parameter {name}, {where},"))
    return found
