"""Help texts, generated from the tree of commands."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import dedent, indent, wrap

from wfx.commandline import durations
from wfx.commandline.grammar import Parsed
from wfx.commandline.options import LISTS, Kind, Option, Value

_WIDTH = 110


def help_text(parsed: Parsed) -> str:
    """Return the help of a command: description, usage, examples, commands, flags."""
    parts = [dedent(parsed.command.description or parsed.command.summary).strip(), usage_text(parsed)]
    return "\n\n".join(parts)


def usage_text(parsed: Parsed) -> str:
    """Return the help of a command without its description."""
    command = parsed.command
    parts = ["Usage:\n" + indent("\n".join(usage_lines(parsed)), "  ")]
    if command.examples:
        parts.append("Examples:\n" + indent(example_lines(command.examples), "  "))
    children = [(child.name, child.summary) for child in command.children if not child.hidden]
    if children:
        parts.append("Available Commands:\n" + _table(children))
    own = own_options(parsed)
    parts.append("Flags:\n" + _flags(own))
    if len(parsed.path) > 1 and parsed.inherited:
        parts.append("Global Flags:\n" + _flags(sorted(parsed.inherited, key=lambda o: o.name)))
    if children:
        parts.append(f'Use "{parsed.words} [command] --help" for more information about a command.')
    return "\n\n".join(parts) + "\n"


def own_options(parsed: Parsed) -> list[Option]:
    """Return the options that are listed as a command's own: all of them for the program itself."""
    elsewhere = parsed.inherited if len(parsed.path) > 1 else ()
    own = (option for option in parsed.options() if option not in elsewhere and not option.hidden)
    return sorted(own, key=lambda option: option.name)


def usage_lines(parsed: Parsed) -> list[str]:
    """Return how the command is called."""
    lines = [" ".join(filter(None, (parsed.words, parsed.command.usage, "[flags]")))] if parsed.command.run else []
    return lines + ([f"{parsed.words} [command]"] if parsed.command.children else [])


def example_lines(examples: str) -> str:
    """Return the examples as they are shown."""
    return dedent(examples).strip()


def description_of(option: Option) -> str:
    """Return what an option is for, with the words to choose from, and with its default unless that is nothing."""
    how = "list of" if option.kind in LISTS else "one of"
    notes = [f"{how} {', '.join(option.choices)}"] if len(option.choices) > 1 else []
    if option.initial and option.kind is not Kind.BOOL:
        notes.append(f"default {_shown(option.initial, option.kind)}")
    return f"{option.summary} ({'; '.join(notes)})" if notes else option.summary


def _shown(value: Value, kind: Kind) -> str:
    if kind in (Kind.DURATION, Kind.SECONDS) and isinstance(value, int | float):
        return durations.show(value)
    return f'"{value}"' if isinstance(value, str) else str(value)


def _flags(options: Iterable[Option]) -> str:
    rows = []
    for option in options:
        short = f"-{option.short}, " if option.short else "    "
        value = "" if option.kind is Kind.BOOL else f" {option.kind.value}"
        rows.append((f"{short}--{option.name}{value}", description_of(option)))
    return _table(rows)


def _table(rows: list[tuple[str, str]]) -> str:
    width = max(len(left) for left, _ in rows) + 3
    lines = []
    for left, right in rows:
        first, *rest = wrap(right, _WIDTH - width)
        lines.append(f"  {left:<{width}}{first}")
        lines.extend(" " * (width + 2) + line for line in rest)
    return "\n".join(lines)
