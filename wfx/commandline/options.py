"""Kinds of options, and parsers of their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from wfx.commandline import durations

Value = str | int | float | bool | list[str]


class Kind(Enum):
    """How an option's value reads; the name is what the help shows."""

    STRING = "string"
    INT = "int"
    INT32 = "int32"
    BOOL = "bool"
    STRINGS = "strings"
    """A list; each occurrence is split at commas."""
    STRING_ARRAY = "stringArray"
    """A list; occurrences are not split."""
    DURATION = "duration"
    SECONDS = "seconds"
    """A duration; a number alone is one of seconds."""
    HOST = "host"
    """A name or an address, IPv6 with or without brackets; the empty string always means the default."""


ANY_FILE = ("*",)
DIRECTORY = ("/",)
LISTS = (Kind.STRINGS, Kind.STRING_ARRAY)


@dataclass(frozen=True, slots=True)
class Option:
    """One option: a flag ``--name``, a variable ``WFX_NAME``, a key ``name`` in configuration files."""

    name: str
    kind: Kind
    summary: str
    default: Value | None = None
    choices: tuple[str, ...] = ()
    """The allowed words in lower case, compared without regard to case; the empty string always means the default.

    The items of a list are compared as they are."""
    suggestions: tuple[str, ...] = ()
    """Words that the shell offers, without others being wrong."""
    names: str = ""
    """The kind of names that the program looks up for the shell to offer."""
    extensions: tuple[str, ...] = ()
    """File name endings that the shell offers for the value, or ``ANY_FILE``, or ``DIRECTORY``."""
    short: str = ""
    check: Callable[[Value], None] | None = None
    """Raises ValueError for a value that reads well and is wrong all the same."""
    synonyms: tuple[str, ...] = ()
    """Names by which it may be looked for; whoever gives one is told the right one."""
    hidden: bool = False
    """Whether help, manual pages and completion leave it out."""

    @property
    def initial(self) -> Value:
        """The value that holds when nobody gives one."""
        return _ZERO[self.kind] if self.default is None else self.default

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "WFX_" + self.name.upper().replace("-", "_")

    def parse(self, text: str) -> Value:
        """Read one occurrence of the value. Raises ValueError with the reason."""
        if not text and self.kind is Kind.HOST:
            return self.initial
        return self.accepted(_PARSERS[self.kind](text))

    def accepted(self, value: Value) -> Value:
        """Return a value of the option's kind as it counts. Raises ValueError with the reason why it is wrong."""
        if self.check is not None:
            self.check(value)
        if not self.choices:
            return value
        if isinstance(value, list):
            for item in value:
                if item not in self.choices:
                    raise ValueError(f'"{item}" must be one of {", ".join(self.choices)}')
            return value
        word = str(value).lower() or str(self.initial)
        if word not in self.choices:
            raise ValueError(f"must be one of {', '.join(self.choices)}")
        return word


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from."""

    kind: str
    """``default``, ``flag``, ``variable``, ``preset`` or ``file``."""
    name: str = ""
    """The flag, the variable, the preset, or the path of the file."""
    line: int = 0
    """The line in the file."""

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.name} line {self.line}" if self.line else self.name or self.kind


DEFAULT = Origin("default")


class Settings:
    """The values of a command's options, after flags, variables, files and defaults were merged."""

    def __init__(self, values: Mapping[str, Value], origins: Mapping[str, Origin] | None = None) -> None:
        """Take one value for each option, of its kind, and where it comes from unless that is the default."""
        self._values = values
        self._origins = origins or {}

    def origin(self, name: str) -> Origin:
        """Return where an option's value comes from."""
        return self._origins.get(name, DEFAULT)

    def is_flag(self, name: str) -> bool:
        """Whether an option's value comes from the command line."""
        return self.origin(name).kind == "flag"

    def __contains__(self, name: str) -> bool:
        """Whether the command has an option of this name."""
        return name in self._values

    def value(self, name: str) -> Value:
        """Return an option of whatever kind."""
        return self._values[name]

    def text(self, name: str) -> str:
        """Return a string option."""
        value = self._values[name]
        assert isinstance(value, str)
        return value

    def number(self, name: str) -> int:
        """Return an integer option."""
        value = self._values[name]
        assert isinstance(value, int)
        return value

    def seconds(self, name: str) -> float:
        """Return a duration option."""
        value = self._values[name]
        assert isinstance(value, float)
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean option."""
        value = self._values[name]
        assert isinstance(value, bool)
        return value

    def items(self, name: str) -> list[str]:
        """Return a list option."""
        value = self._values[name]
        assert isinstance(value, list)
        return value


def _integer(bits: int) -> Callable[[str], int]:
    literal = re.compile(r"[+-]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|[1-9][0-9_]*|0)", re.ASCII)

    def parse(text: str) -> int:
        if not literal.fullmatch(text):
            raise ValueError("invalid syntax")
        octal = re.fullmatch(r"([+-]?)0([0-7_]+)", text)
        value = int(f"{octal[1]}0o{octal[2]}" if octal else text, 0)
        if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise ValueError("value out of range")
        return value

    return parse


_TRUE, _FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")


def _boolean(text: str) -> bool:
    if text not in _TRUE + _FALSE:
        raise ValueError("invalid syntax")
    return text in _TRUE


def _comma_separated(text: str) -> list[str]:
    if not text:
        return []
    if '"' not in text:
        return text.split(",")
    import csv  # only quoted values need it

    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as exc:
        raise ValueError(str(exc)) from exc


def _host(text: str) -> str:
    if text.lower() == "localhost.":  # as a full name, which the system's file of hosts does not have
        return "localhost"
    bracketed = re.fullmatch(r"\[([^\[\]]*:[^\[\]]*)\]", text)
    return bracketed[1] if bracketed else text  # whether it can be a host is found out by whoever uses it


_PARSERS: dict[Kind, Callable[[str], Value]] = {
    Kind.STRING: str,
    Kind.INT: _integer(64),
    Kind.INT32: _integer(32),
    Kind.BOOL: _boolean,
    Kind.STRINGS: _comma_separated,
    Kind.STRING_ARRAY: lambda text: [text],
    Kind.DURATION: durations.parse,
    Kind.SECONDS: durations.parse_seconds,
    Kind.HOST: _host,
}

_ZERO: dict[Kind, Value] = {
    Kind.STRING: "",
    Kind.INT: 0,
    Kind.INT32: 0,
    Kind.BOOL: False,
    Kind.STRINGS: [],
    Kind.STRING_ARRAY: [],
    Kind.DURATION: 0.0,
    Kind.SECONDS: 0.0,
    Kind.HOST: "",
}

HELP = Option("help", Kind.BOOL, "print this help", short="h")
VERSION = Option("version", Kind.BOOL, "print the version", short="v")
