"""Parser of command lines: a tree of commands with their flags and arguments (cli section 1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from wfx.commandline.failures import UsageFailure
from wfx.commandline.options import HELP, LISTS, VERSION, Kind, Option, Value


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or a group of commands when it has children."""

    name: str
    summary: str
    description: str = ""
    usage: str = ""
    """How the arguments after the options read, such as ``[FILE|-]``."""
    examples: str = ""
    """Two or more command lines, with comments above them."""
    options: tuple[Option, ...] = ()
    inherited: tuple[Option, ...] = ()
    """Options that it and all commands below it know."""
    children: tuple[Command, ...] = ()
    run: Callable[[Any], int | None] | None = None
    """Does the work and returns the exit code; None means 0. Takes the program's own kind of call."""
    configured: bool = True
    """Whether configuration files and variables are read for it."""
    hidden: bool = False
    extensions: tuple[str, ...] = ()
    """File name endings that the shell offers for the arguments."""
    argument_names: str = ""
    """The kind of names that the program looks up for the shell to offer for the arguments."""
    takes_flags: bool = False
    """Whether flags are arguments like any other: what completes command lines must not read them."""
    names_command: bool = False
    """Whether the arguments are the name of a command."""
    version: Callable[[], str] | None = None
    """What ``--version`` of a program prints; without it there is no such flag."""

    def child(self, name: str) -> Command | None:
        """Return the child with this name."""
        return next((child for child in self.children if child.name == name), None)

    @property
    def most_arguments(self) -> float:
        """How many arguments make sense to it, as its usage has it."""
        return math.inf if "..." in self.usage or self.names_command or self.takes_flags else len(self.usage.split())


class ArgumentMissing(UsageFailure):
    """The command line ends where a flag's value should be."""

    def __init__(self, option: Option) -> None:
        """Keep the option, for which the shell may want suggestions."""
        super().__init__(f"flag needs an argument: --{option.name}")
        self.option = option


@dataclass(slots=True)
class Parsed:
    """What a command line asks for."""

    path: list[Command]
    """The command and all that lead to it, the program first."""
    given: dict[str, Value] = field(default_factory=dict)
    """The options that were given, by name."""
    arguments: list[str] = field(default_factory=list)

    @property
    def command(self) -> Command:
        """The command that was named."""
        return self.path[-1]

    @property
    def words(self) -> str:
        """The command's full name."""
        return " ".join(command.name for command in self.path)

    def options(self) -> Iterator[Option]:
        """All options that are known at this place."""
        yield from self.settings()
        yield HELP
        if self.command.version is not None:
            yield VERSION

    def settings(self) -> Iterator[Option]:
        """All options that files and variables can give too."""
        yield from self.command.options
        yield from self.inherited

    @property
    def inherited(self) -> tuple[Option, ...]:
        """The options that come from above, or from the command itself for those below it."""
        return tuple(option for command in self.path for option in command.inherited)


def parse(root: Command, argv: Sequence[str]) -> Parsed:
    """Read a command line; see :func:`read`."""
    parsed = Parsed([root])
    read(parsed, argv)
    return parsed


def read(parsed: Parsed, argv: Sequence[str]) -> None:
    """Read a command line on from what was understood so far; unknown words become arguments.

    Raises UsageFailure for unknown flags and wrong values; ``parsed`` then holds what stands before the mistake.
    """
    words = iter(argv)
    for word in words:
        if parsed.command.takes_flags:
            parsed.arguments.append(word)
        elif word == "--":
            parsed.arguments.extend(words)
        elif word.startswith("--"):
            _long(parsed, word, words)
        elif word.startswith("-") and word != "-":
            _short(parsed, word, words)
        elif not parsed.arguments and (child := parsed.command.child(word)):
            parsed.path.append(child)
        else:
            parsed.arguments.append(word)


def closest(word: str, known: Sequence[str]) -> str:
    """Return `` (did you mean …?)`` for a word that looks like a known one, else nothing."""
    from difflib import get_close_matches  # only mistyped words need it

    similar = get_close_matches(word, known, n=1)
    return f" (did you mean {similar[0]}?)" if similar else ""


def _long(parsed: Parsed, word: str, following: Iterator[str]) -> None:
    name, assigned, text = word[2:].partition("=")
    option = next((option for option in parsed.options() if option.name == name), None)
    if option is None:
        raise UsageFailure(f"unknown flag: --{name}" + _meant(parsed, name))
    if not assigned:
        text = "true" if option.kind is Kind.BOOL else _argument(option, following)
    _accept(parsed, option, text)


def _meant(parsed: Parsed, name: str) -> str:
    """Return which flag may have been meant by a name that none has, or nothing."""
    offered = [option for option in parsed.options() if not option.hidden]
    for option in offered:
        if name in option.synonyms:
            return f" (did you mean --{option.name}?)"
    return closest(f"--{name}", [f"--{option.name}" for option in offered])


def _argument(option: Option, following: Iterator[str]) -> str:
    try:
        return next(following)
    except StopIteration:
        raise ArgumentMissing(option) from None


def _short(parsed: Parsed, word: str, following: Iterator[str]) -> None:
    """Read ``-h``, or ``-o json``, ``-ojson`` and ``-o=json``."""
    for place, letter in enumerate(word[1:], 2):
        option = next((option for option in parsed.options() if option.short == letter), None)
        if option is None:
            raise UsageFailure(f"unknown shorthand flag: '{letter}' in {word}")
        if option.kind is not Kind.BOOL:
            _accept(parsed, option, word[place:].removeprefix("=") or _argument(option, following))
            return
        _accept(parsed, option, "true")


def _accept(parsed: Parsed, option: Option, text: str) -> None:
    try:
        value = option.parse(text)
    except ValueError as exc:
        raise UsageFailure(f'invalid argument "{text}" for "--{option.name}" flag: {exc}') from exc
    earlier = parsed.given.get(option.name)
    if option.kind in LISTS and isinstance(earlier, list) and isinstance(value, list):
        value = earlier + value
    parsed.given[option.name] = value
