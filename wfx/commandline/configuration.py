"""Sources of settings: flags beat variables, variables beat files, files beat defaults (cli section 2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from wfx.commandline.config_files import ConfigFiles, FileValue, MergedFiles, Signature
from wfx.commandline.failures import UsageFailure
from wfx.commandline.options import DEFAULT, LISTS, Kind, Option, Origin, Settings, Value

_NO_OPTIONS = {"WFX_POSTGRES_IAM_AUTH", "WFX_POSTGRES_REGION"}
"""Variables that are read where the database is opened, beside those of PostgreSQL and AWS."""


Preset = Mapping[str, FileValue]
"""Values by the names of options, which beat files and are beaten by variables."""


@dataclass(frozen=True, slots=True)
class Presets:
    """Presets that users name."""

    option: Option
    """The option by which they are named."""
    find: Callable[[str, Mapping[str, str]], Preset]
    """Returns the preset of a name, which may be empty, in an environment. Raises UsageFailure for an unknown name."""


@dataclass(frozen=True, slots=True)
class ResolvedSettings:
    """Settings, and what there is to say about their sources."""

    settings: Settings
    warnings: tuple[str, ...] = ()
    """Unknown keys and variables, and files that were named and do not exist."""
    signatures: Mapping[str, Signature | None] = field(default_factory=dict)
    """Of the configuration files, from before they were read."""
    preset: Preset = field(default_factory=dict)
    """The preset that was used."""


@dataclass(frozen=True)
class Sources:
    """Flags, variables and files of one command; can be read again."""

    options: tuple[Option, ...]
    given: Mapping[str, Value]
    """What flags say."""
    environment: Mapping[str, str]
    strict: bool = False
    """Whether a nested value where a single one is wanted is a bad one, files may have sections, and lists may be given
    by variables and as single values in files; otherwise these are left to other programs (cli section 2)."""
    others: tuple[Option, ...] = ()
    """Options of other commands, which files and variables may give too."""
    opened: ConfigFiles | None = None
    """The configuration files, if they were read before, by another process; else they are what the options say."""
    presets: Presets | None = None
    """What stands between variables and files, if the program has such."""

    @cached_property
    def files(self) -> ConfigFiles:
        """The configuration files; a program without the option ``config`` has none."""
        if self.opened is not None:
            return self.opened
        known = {option.name for option in (*self.options, *self.others)}
        sections = known if self.strict else None
        if not any(option.name == "config" for option in self.options):
            return ConfigFiles((), sections)
        paths = self.given.get("config")
        return ConfigFiles(tuple(paths if isinstance(paths, list) else default_files(self.environment)), sections)

    def resolve(self) -> ResolvedSettings:
        """Resolve one value for each option.

        Raises ConfigurationFailure for a broken file, UsageFailure for a value.
        """
        content = self.files.read()
        preset: Preset = {}
        if self.presets is not None:
            name, _ = self._one(self.presets.option, content.values, preset)
            preset = self.presets.find(str(name), self.environment)
        values: dict[str, Value] = {}
        origins: dict[str, Origin] = {}
        for option in self.options:
            values[option.name], origins[option.name] = self._one(option, content.values, preset)
        return ResolvedSettings(Settings(values, origins), self._warnings(content), content.signatures, preset)

    def _one(self, option: Option, entries: Mapping[str, FileValue], preset: Preset) -> tuple[Value, Origin]:
        if (value := self.given.get(option.name)) is not None:
            return value, Origin("flag", f"--{option.name}")
        if (value := _from_environment(option, self.environment, strict=self.strict)) is not None:
            return value, Origin("variable", option.variable)
        entry = preset.get(option.name) or entries.get(option.name)
        if entry is None:
            return option.initial, DEFAULT
        origin = Origin("preset" if option.name in preset else "file", entry.path, entry.line)
        try:
            value = _from_file(option, entry.value, strict=self.strict)
        except UsageFailure as exc:
            raise UsageFailure(f"{exc} ({origin})") from exc
        return (option.initial, DEFAULT) if value is None else (value, origin)

    def _warnings(self, content: MergedFiles) -> tuple[str, ...]:
        known = [*self.options, *self.others]
        names, variables = {option.name for option in known}, {option.variable for option in known}
        entries = [entry for name, entry in content.values.items() if name not in names]
        variables |= _NO_OPTIONS
        others = [name for name in self.environment if name.startswith("WFX_") and name not in variables]
        missing = content.missing if "config" in self.given else []
        return (
            *(f"unknown option {entry.key} is ignored ({entry.path} line {entry.line})" for entry in entries),
            *(f"unknown option {name} is ignored" for name in sorted(others)),
            *(f"configuration file {path} does not exist" for path in missing),
        )


def resolve(
    options: Collection[Option], given: Mapping[str, Value], environment: Mapping[str, str], *, strict: bool = False
) -> Settings:
    """Resolve one value for each option; see :meth:`Sources.resolve`."""
    return Sources(tuple(options), given, environment, strict).resolve().settings


def defaults(options: Iterable[Option], given: Mapping[str, Value]) -> Settings:
    """Resolve values for a command that must not depend on files and variables."""
    return Settings({option.name: given.get(option.name, option.initial) for option in options})


def configuration_home(environment: Mapping[str, str]) -> str:
    """Return the directory of the user's own configuration files, or nothing if there is none."""
    home = environment.get("XDG_CONFIG_HOME", "")
    return environment["HOME"] + "/.config" if not home and environment.get("HOME") else home


def default_files(environment: Mapping[str, str]) -> list[str]:
    """Return the files that are read unless ``--config`` names others; the last existing one wins."""
    home = configuration_home(environment)
    return ["wfx.yml", *([f"{home}/wfx/config.yml"] if home else []), "/etc/wfx/wfx.yml"]


def _from_environment(option: Option, environment: Mapping[str, str], *, strict: bool) -> Value | None:
    """Return what a variable sets; an empty one beats files too, with an empty text or list, and else the default."""
    text = environment.get(option.variable)
    if text is None or (option.kind in LISTS and not strict):
        return None
    if not text and option.kind not in (Kind.STRING, Kind.HOST, *LISTS):
        return option.initial
    return _converted(option, text, option.variable)


def _from_file(option: Option, value: Any, *, strict: bool) -> Value | None:
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
