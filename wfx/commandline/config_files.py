"""Reader of configuration files: YAML, of which JSON is a part, and TOML, as keys with the places they stand at."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from wfx.commandline import property_names
from wfx.commandline.failures import ConfigurationFailure
from wfx.commandline.input_files import read_bounded

_DEPTH = 5
"""Levels of sections; what is nested deeper, perhaps without end, is no section of ours."""


class Signature(NamedTuple):
    """What is another one after a file was written or replaced."""

    modified: int
    size: int
    inode: int
    device: int


KeyPath = tuple[str, ...]


class FileValue(NamedTuple):
    """A value in a file: text, a list, a mapping, or None."""

    value: Any
    key: str
    """As the file has it, sections joined by dashes."""
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class MergedFiles:
    """What files say together."""

    values: Mapping[str, FileValue]
    """By the option's name; later files have replaced what earlier ones say."""
    signatures: Mapping[str, Signature | None]
    """Of each file, from before it was read; None if it does not exist."""

    @property
    def missing(self) -> list[str]:
        """The files that do not exist."""
        return [path for path, signature in self.signatures.items() if signature is None]


@dataclass(frozen=True, slots=True)
class ConfigFiles:
    """Files that are read together, later ones winning; can be read again."""

    paths: tuple[str, ...]
    sections: Collection[str] | None = None
    """If given, sections are understood (``log: {level: debug}`` is ``log-level``), and these are names of options."""
    _pipes: dict[str, bytes] = field(default_factory=dict)
    """What came from files that can be read once only."""
    _tried: set[str] = field(default_factory=set)
    """Files that were tried to read before: what is a pipe only now is not waited for."""

    def read(self) -> MergedFiles:
        """Read those that exist. Raises ConfigurationFailure for one that cannot be read or understood."""
        values: dict[str, FileValue] = {}
        signatures: dict[str, Signature | None] = {}
        for path in self.paths:
            try:
                signatures[path], content = self._content(path)
            except (FileNotFoundError, NotADirectoryError):
                signatures[path] = None
                continue
            except OSError as exc:
                raise ConfigurationFailure(f"cannot read configuration file {path}: {exc.strerror}") from exc
            values |= self._values(path, content)
        return MergedFiles(values, signatures)

    def _content(self, path: str) -> tuple[Signature | None, bytes]:
        if path in self._pipes:
            return signature(path), self._pipes[path]
        again = path in self._tried
        self._tried.add(path)
        with open(path, "rb", opener=_open_without_waiting if again else None) as file:
            status = os.fstat(file.fileno())
            if again and not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "it is no regular file any more")
            content = read_bounded(file)
        if not stat.S_ISREG(status.st_mode):
            self._pipes[path] = content
        return _signature(status), content

    def _values(self, path: str, content: bytes) -> dict[str, FileValue]:
        document, lines = (_toml if path.endswith(".toml") else _yaml)(path, content)
        found: dict[str, FileValue] = {}
        parts: dict[str, dict[tuple[int, str], FileValue]] = {}
        for place, value in self._flat(document):
            key = "-".join(map(str, place))
            name = key if self.sections is None else property_names.option_of(key)
            entry = FileValue(value, key, path, lines.line(place))
            if isinstance(name, str):
                _give(found, name, entry, f'"{name}"')
            else:
                _give(parts.setdefault(name.option, {}), (name.place, name.name), entry, f'"{key}"')
        for option, members in parts.items():
            first = next(iter(members.values()))
            value = _understood(first, property_names.joined, {at: entry.value for at, entry in members.items()})
            _give(found, option, first._replace(value=value), f'"{option}"')
        if self.sections is None:
            return found
        return {name: _with_items(name, entry) for name, entry in found.items()}

    def _flat(self, document: Mapping[str, Any], above: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
        """Yield values with their names, of several parts for those in sections."""
        for key, value in document.items():
            place = (*above, key)
            if isinstance(value, dict) and len(place) < _DEPTH and self._is_section(place, value):
                yield from self._flat(value, place)
            else:
                yield place, value

    def _is_section(self, place: KeyPath, value: Mapping[str, Any]) -> bool:
        """Tell sections from mappings that are given to an option, which takes none."""
        if self.sections is None or not value:
            return False
        name = _normal("-".join(map(str, place)))
        inner = tuple(_normal(f"{name}-{key}") for key in value)
        return name not in self.sections or any(option.startswith(inner) for option in self.sections)


Key = TypeVar("Key", str, tuple[int, str])


def _give(found: dict[Key, FileValue], key: Key, entry: FileValue, shown: str) -> None:
    if (before := found.setdefault(key, entry)) is not entry:
        said = f"it gives {shown} twice, in lines {before.line} and {entry.line}"
        raise ConfigurationFailure(f"configuration file {entry.path} is not valid: {said}")


def _with_items(option: str, entry: FileValue) -> FileValue:
    value = _understood(entry, partial(property_names.items_of, option), entry.value)
    return entry if value is entry.value else entry._replace(value=value)


def _understood(entry: FileValue, read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except ValueError as exc:
        said = f"{entry.key} in line {entry.line}: {exc}"
        raise ConfigurationFailure(f"configuration file {entry.path} is not valid: {said}") from exc


def _normal(key: str) -> str:
    return key.replace("_", "-")


def signature(path: str) -> Signature | None:
    """Return the signature of a file as it is now; None if there is none."""
    try:
        return _signature(Path(path).stat())
    except OSError:
        return None


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _signature(status: os.stat_result) -> Signature:
    if not stat.S_ISREG(status.st_mode):  # what a pipe or a device has said is kept
        return Signature(0, 0, 0, 0)
    return Signature(status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev)


class _Lines:
    """Lines of a document's keys."""

    def line(self, place: Iterable[str]) -> int:
        """Return the line of a key, or of the innermost section that is found."""
        raise NotImplementedError


class _YamlLines(_Lines):
    def __init__(self, node: Any) -> None:
        self._node = node

    def line(self, place: Iterable[str]) -> int:
        from wfx.commandline import plain_yaml

        return plain_yaml.line_at(self._node, place)


class _TomlLines(_Lines):
    """Lines of keys, found by what they look like: the parser does not tell them."""

    def __init__(self, text: str) -> None:
        self._lines: dict[KeyPath, int] = {}
        section: KeyPath = ()
        for number, line in enumerate(text.splitlines(), 1):
            if header := re.match(r"\s*\[+([^\[\]]+)\]", line):
                section = _parts(header[1])
                self._lines.setdefault(section, number)
            elif key := re.match(r"""\s*([\w."'\s-]+?)\s*=""", line):
                inner = (*section, *_parts(key[1]))
                for end in range(len(section) + 1, len(inner) + 1):
                    self._lines.setdefault(inner[:end], number)

    def line(self, place: Iterable[str]) -> int:
        names = tuple(place)
        return next((self._lines[names[:n]] for n in range(len(names), 0, -1) if names[:n] in self._lines), 1)


def _parts(dotted: str) -> KeyPath:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _yaml(path: str, content: bytes) -> tuple[dict[str, Any], _Lines]:
    from wfx.commandline import plain_yaml  # only existing files need it

    try:
        document, node = plain_yaml.load_with_lines(content)
    except ValueError as exc:
        raise ConfigurationFailure(f"configuration file {path} is not valid YAML: {exc}") from exc
    if not isinstance(document, dict | None):
        raise ConfigurationFailure(f"configuration file {path} is not valid: it must hold keys and values")
    return document or {}, _YamlLines(node)


def _toml(path: str, content: bytes) -> tuple[dict[str, Any], _Lines]:
    import tomllib  # few files need it

    try:
        text = content.decode()
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as exc:
        reason = "it is nested too deeply" if isinstance(exc, RecursionError) else exc
        raise ConfigurationFailure(f"configuration file {path} is not valid TOML: {reason}") from exc
    return {key: _as_text(value) for key, value in document.items()}, _TomlLines(text)


def _as_text(value: Any) -> Any:
    """Return scalars as text, as the YAML reader has them."""
    if isinstance(value, dict):
        return {key: _as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_text(inner) for inner in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
