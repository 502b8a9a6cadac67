"""Contexts: named sets of connection options, in one file that only its owner can read."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wfx.commandline.config_files import FileValue
from wfx.commandline.configuration import configuration_home
from wfx.commandline.failures import ConfigurationFailure, UsageFailure
from wfx.commandline.grammar import closest
from wfx.commandline.input_files import read_bounded
from wfxctl import context_options

NONE = "none"
"""The name that stands for no context."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Members = dict[str, Any]
"""Texts, and lists of texts, by the names of options (see :mod:`wfxctl.context_options`)."""


@dataclass(slots=True)
class Contexts:
    """What the file holds."""

    current: str = ""
    """The context that commands use unless they name another one; empty for none."""
    members: dict[str, Members] = field(default_factory=dict)
    """Those of each context."""

    def named(self, name: str) -> Members:
        """Return the members of a context. Raises UsageFailure when there is none of that name."""
        if name not in self.members:
            hint = closest(name, list(self.members)) or "; see wfxctl context list"
            raise UsageFailure(f'there is no context "{name}"{hint}')
        return self.members[name]


def preset(name: str, environment: Mapping[str, str]) -> Mapping[str, FileValue]:
    """Return what a context says, by the names of options; an empty name means the current context.

    Raises UsageFailure for an unknown name, and ConfigurationFailure for a file that cannot be used.
    """
    if name == NONE or (not name and not configuration_home(environment)):
        return {}
    contexts = read(environment)
    name = name or contexts.current
    if not name or name == NONE:
        return {}
    values = context_options.values_of(contexts.named(name))
    place = f"context {name} in {path_of(environment)}"
    return {key: FileValue(value, key, place, 0) for key, value in values.items()}


def check_name(name: str) -> None:
    """Raise UsageFailure for a name that no context may have."""
    if name == NONE:
        raise UsageFailure(f'"{NONE}" cannot be the name of a context: it stands for none at all')
    if not _NAME.fullmatch(name):
        raise UsageFailure(
            f'"{name}" cannot be the name of a context: use up to 64 letters, digits, dots, dashes and underscores'
        )


def path_of(environment: Mapping[str, str]) -> Path:
    """Return where the file is, or would be. Raises ConfigurationFailure where there is no home directory."""
    home = configuration_home(environment)
    if not home:
        raise ConfigurationFailure("contexts are kept in the home directory: set HOME or XDG_CONFIG_HOME")
    return Path(home) / "wfx" / "contexts.yml"


def read(environment: Mapping[str, str]) -> Contexts:
    """Read the file; none holds nothing. Raises ConfigurationFailure for one that cannot be read or understood."""
    path = path_of(environment)
    try:
        with path.open("rb") as file:
            content = read_bounded(file)
    except (FileNotFoundError, NotADirectoryError):
        return Contexts()
    except OSError as exc:
        raise ConfigurationFailure(f"cannot read {path}: {exc.strerror}") from exc
    from wfx.commandline import plain_yaml  # only who has contexts needs it

    try:
        return _contexts(plain_yaml.load(content))
    except plain_yaml.InvalidYaml as exc:
        where = f"line {exc.line}, column {exc.column}: " if exc.line else ""
        raise _invalid(path, f"{where}{exc.problem}") from exc
    except ValueError as exc:
        raise _invalid(path, str(exc)) from exc


def _invalid(path: Path, reason: str) -> ConfigurationFailure:
    return ConfigurationFailure(f"{path} is not valid: {reason}; mend it, or remove it and add the contexts again")


def _contexts(document: Any) -> Contexts:
    if document is None:
        return Contexts()
    if not isinstance(document, dict):
        raise ValueError("it should have the keys current and contexts")  # noqa: TRY004  # what a file says is a value
    current, members = document.get("current") or "", document.get("contexts") or {}
    if not isinstance(current, str):
        raise ValueError("current should be the name of a context")  # noqa: TRY004  # as above
    if not isinstance(members, dict):
        raise ValueError("contexts should have a key for each context, which is its name")  # noqa: TRY004  # as above
    for name, one in members.items():
        if not isinstance(one, dict):
            raise ValueError(f'context "{name}" should have keys, such as client-url')  # noqa: TRY004  # as above
    return Contexts(current, members)


@contextmanager
def changing(environment: Mapping[str, str]) -> Iterator[Contexts]:
    """Yield the contexts to be changed, and write them then; who does the same at that time waits.

    Raises ConfigurationFailure for a file that cannot be read or written.
    """
    path = path_of(environment)
    with _failures_named(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        contexts = read(environment)
        yield contexts
        with _failures_named(path):
            _write(path.resolve(), contexts)
    finally:
        os.close(folder)


def _write(path: Path, contexts: Contexts) -> None:
    """Put a new file in place of the old one; a crash leaves either of them whole."""
    import tempfile

    import yaml  # both are slow to import, and only who changes contexts needs them

    document = {"current": contexts.current, "contexts": contexts.members}
    content = yaml.safe_dump(document, allow_unicode=True, sort_keys=False).encode()
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


@contextmanager
def _failures_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise ConfigurationFailure(f"cannot write {path}: {exc.strerror}") from exc
