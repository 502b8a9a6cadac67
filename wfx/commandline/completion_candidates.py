"""Completion candidates for an unfinished command line (cli section 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from wfx.commandline import grammar
from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import ArgumentMissing, Command, Parsed
from wfx.commandline.options import ANY_FILE, DIRECTORY, LISTS, Option


class Directive(IntEnum):
    """What the shell should do beside offering the words."""

    DEFAULT = 0
    """Offer files when there are no words."""
    ERROR = 1
    """Offer nothing."""
    NO_FILES = 4
    """Offer the words only."""
    EXTENSIONS = 8
    """The words are file name endings: offer such files."""
    DIRECTORIES = 16
    """Offer directories."""

    @property
    def title(self) -> str:
        """The name that it has in messages."""
        return _TITLES[self]


_TITLES = {
    Directive.DEFAULT: "ShellCompDirectiveDefault",
    Directive.ERROR: "ShellCompDirectiveError",
    Directive.NO_FILES: "ShellCompDirectiveNoFileComp",
    Directive.EXTENSIONS: "ShellCompDirectiveFilterFileExt",
    Directive.DIRECTORIES: "ShellCompDirectiveFilterDirs",
}


Words = Sequence[tuple[str, str]]
"""Words with their descriptions."""
Lookup = Callable[[Parsed, str], Words]
"""Finds the names of a kind, for an unfinished command line."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Words with their descriptions, and what to do with them."""

    words: tuple[tuple[str, str], ...]
    directive: Directive


def complete(root: Command, words: Sequence[str], lookup: Lookup = lambda _parsed, _kind: ()) -> Offer:
    """Return what can stand in place of the last word, which may be empty."""
    *finished, current = words or ("",)
    parsed = Parsed([root])

    def value(option: Option, prefix: str, text: str) -> Offer:
        offered = lookup(parsed, option.names) if option.names else ()
        return _value(option, prefix, text, [word for word, _ in offered])

    try:
        grammar.read(parsed, finished)
    except ArgumentMissing as exc:
        return value(exc.option, "", current)
    except UsageFailure:
        return Offer((), Directive.ERROR)
    if current.startswith("-") and "--" not in finished:
        return _flag(parsed, current, value)
    if parsed.command.names_command:
        parsed = grammar.parse(root, parsed.arguments)
    children = [(child.name, child.summary) for child in parsed.command.children if not child.hidden]
    if children:
        offer = _starting(current, [] if parsed.arguments else children)
        if offer.words and (current or not parsed.command.extensions):
            return offer
    if parsed.command.argument_names:
        return _starting(current, lookup(parsed, parsed.command.argument_names))
    return _files(parsed.command.extensions)


def _flag(parsed: Parsed, current: str, value: Callable[[Option, str, str], Offer]) -> Offer:
    name, assigned, text = current.removeprefix("--").partition("=")
    if not assigned:
        flags = [(f"--{option.name}", option.summary) for option in parsed.options() if not option.hidden]
        return _starting(current, sorted(flags))
    option = next((option for option in parsed.options() if option.name == name), None)
    return Offer((), Directive.ERROR) if option is None else value(option, f"--{name}=", text)


def _value(option: Option, prefix: str, current: str, names: Sequence[str]) -> Offer:
    offered = option.choices or option.suggestions or names
    if offered or option.names:
        begun = current[: current.rfind(",") + 1] if option.kind in LISTS else ""
        return _starting(prefix + current, [(prefix + begun + word, "") for word in offered])
    return _files(option.extensions)


def _files(extensions: tuple[str, ...]) -> Offer:
    if extensions == ANY_FILE:
        return Offer((), Directive.DEFAULT)
    if extensions == DIRECTORY:
        return Offer((), Directive.DIRECTORIES)
    if extensions:
        return Offer(tuple((extension, "") for extension in extensions), Directive.EXTENSIONS)
    return Offer((), Directive.NO_FILES)


def _starting(current: str, words: Iterable[tuple[str, str]]) -> Offer:
    return Offer(tuple(pair for pair in words if pair[0].startswith(current)), Directive.NO_FILES)
