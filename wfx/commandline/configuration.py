"""Sources of settings: flags beat variables, variables beat files, files beat defaults (cli section 2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from wfx.commandline.failures import ConfigurationFailure, UsageFailure
from wfx.commandline.options import LISTS, Kind, Option, Settings, Value


def resolve(
    options: Collection[Option], given: Mapping[str, Value], environment: Mapping[str, str], *, strict: bool = False
) -> Settings:
    """Settle one value for each option. Raises ConfigurationFailure for a broken file, UsageFailure for a bad value.

    If ``strict``, a nested value where a single one is wanted is a bad one, and lists may be given by variables and as
    single values in files; otherwise these are left to other programs (cli section 2).
    """
    documents = _documents(options, given, environment)
    values: dict[str, Value] = {}
    for option in options:
        value = given.get(option.name)
        if value is None:
            value = _from_environment(option, environment, strict=strict)
        if value is None:
            value = _from_document(option, documents, strict=strict)
        values[option.name] = option.initial if value is None else value
    return Settings(values)


def unknown(options: Collection[Option], given: Mapping[str, Value], environment: Mapping[str, str]) -> list[str]:
    """Return the keys in files and the ``WFX_`` variables that no option reads. Raises ConfigurationFailure."""
    known = {option.name for option in options}
    variables = {option.variable for option in options}
    documents = _documents(options, given, environment)
    return [name for name in documents if name not in known] + sorted(
        name for name in environment if name.startswith("WFX_") and name not in variables
    )


def defaults(options: Iterable[Option], given: Mapping[str, Value]) -> Settings:
    """Settle values for a command that must not depend on files and variables."""
    return Settings({option.name: given.get(option.name, option.initial) for option in options})


def default_files(environment: Mapping[str, str]) -> list[str]:
    """Return the files that are read unless ``--config`` names others; the last existing one wins."""
    home = environment.get("XDG_CONFIG_HOME")
    if not home and environment.get("HOME"):
        home = environment["HOME"] + "/.config"
    return ["wfx.yml", *([f"{home}/wfx/config.yml"] if home else []), "/etc/wfx/wfx.yml"]


def read_files(paths: Iterable[str]) -> dict[str, Any]:
    """Merge the files that exist, in order. Raises ConfigurationFailure for one that cannot be read or understood."""
    merged: dict[str, Any] = {}
    for path in paths:
        try:
            content = Path(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as exc:
            raise ConfigurationFailure(f"cannot read configuration file {path}: {exc.strerror}") from exc
        merged |= _mapping(path, content)
    return merged


def _documents(
    options: Collection[Option], given: Mapping[str, Value], environment: Mapping[str, str]
) -> dict[str, Any]:
    """Read the files; a program without the option ``config`` has none."""
    if not any(option.name == "config" for option in options):
        return {}
    paths = given.get("config")
    return read_files(paths if isinstance(paths, list) else default_files(environment))


def _mapping(path: str, content: bytes) -> dict[str, Any]:
    from wfx.commandline import plain_yaml  # only existing files need it

    try:
        document = plain_yaml.load(content)
    except ValueError as exc:
        raise ConfigurationFailure(f"configuration file {path} is not valid YAML: {exc}") from exc
    if not isinstance(document, dict | None):
        raise ConfigurationFailure(f"configuration file {path} is not valid: it must hold keys and values")
    return document or {}


def _from_environment(option: Option, environment: Mapping[str, str], *, strict: bool) -> Value | None:
    """Return what a variable sets; an empty one beats files too, with an empty text or list, and else the default."""
    text = environment.get(option.variable)
    if text is None or (option.kind in LISTS and not strict):
        return None
    if not text and option.kind not in (Kind.STRING, Kind.HOST, *LISTS):
        return option.initial
    return _converted(option, text, option.variable)


def _from_document(option: Option, document: Mapping[str, Any], *, strict: bool) -> Value | None:
    value = document.get(option.name)
    source = f"configuration key {option.name}"
    if option.kind in LISTS:
        return _list(option, value, source) if strict else _lenient_list(value)
    if strict and isinstance(value, list | dict):
        raise UsageFailure(f"{source} must have one value, not a list or a mapping")
    # Nested values belong to other programs that share the file.
    return _converted(option, value, source) if isinstance(value, str) else None


def _lenient_list(value: Any) -> Value | None:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else None


def _list(option: Option, value: Any, source: str) -> Value | None:
    if isinstance(value, str):
        return _converted(option, value, source)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return _checked(option.accepted, value, ",".join(value), source)
    if value is not None:
        raise UsageFailure(f"{source} must be a list of values")
    return None


def _converted(option: Option, text: str, source: str) -> Value:
    return _checked(option.parse, text, text, source)


def _checked(read: Callable[[Any], Value], value: str | list[str], shown: str, source: str) -> Value:
    try:
        return read(value)
    except ValueError as exc:
        raise UsageFailure(f'invalid value "{shown}" for {source}: {exc}') from exc
