"""The command ``man``: manual pages, generated from the tree of commands (cli section 1)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import dedent

from wfx.commandline import help_texts
from wfx.commandline.failures import Failure
from wfx.commandline.grammar import Command, Parsed
from wfx.commandline.invocation import Invocation
from wfx.commandline.options import DIRECTORY, Kind, Option


def run(call: Invocation) -> None:
    """Write one page for each command."""
    folder = Path(call.settings.text("dir"))
    # Builds that must be reproducible fix the time: https://reproducible-builds.org/specs/source-date-epoch/
    epoch = call.environment.get("SOURCE_DATE_EPOCH", "")
    date = time.strftime("%b %Y", time.gmtime(int(epoch) if epoch.isdecimal() else None))
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for parsed in _commands(Parsed([call.root])):
            with open(folder / f"{_name(parsed)}.1", "w", encoding="utf-8", opener=_for_all_to_read) as page:
                page.write(_page(parsed, date))
    except OSError as exc:
        raise Failure(f"cannot write manual pages to {folder}: {exc.strerror}") from exc


def _for_all_to_read(path: str, flags: int) -> int:
    """Open a file that nobody but its owner may write, whatever the umask says."""
    return os.open(path, flags, 0o644)


def _commands(parsed: Parsed) -> Iterator[Parsed]:
    yield parsed
    for child in parsed.command.children:
        if not child.hidden and not child.names_command:
            yield from _commands(Parsed([*parsed.path, child]))


def _name(parsed: Parsed) -> str:
    return parsed.words.replace(" ", "-")


def _page(parsed: Parsed, date: str) -> str:
    command = parsed.command
    children = [Parsed([*parsed.path, child]) for child in command.children if not child.hidden]
    related = ([Parsed(parsed.path[:-1])] if len(parsed.path) > 1 else []) + children
    sections = [
        f'.TH "{_name(parsed).upper()}" "1" "{date}" "wfx" "wfx manual"',
        f".SH NAME\n{_plain(_name(parsed))} \\- {_plain(command.summary)}",
        ".SH SYNOPSIS\n" + "\n.br\n".join(f"\\fB{_plain(line)}\\fP" for line in help_texts.usage_lines(parsed)),
        ".SH DESCRIPTION\n" + _paragraphs(command.description or command.summary),
        ".SH OPTIONS\n" + _options(help_texts.own_options(parsed)),
    ]
    if len(parsed.path) > 1 and parsed.inherited:
        sections.append(".SH OPTIONS OF ALL COMMANDS\n" + _options(parsed.inherited))
    if command.examples:
        sections.append(f".SH EXAMPLES\n.nf\n{_plain(help_texts.example_lines(command.examples))}\n.fi")
    if related:
        sections.append(".SH SEE ALSO\n" + ", ".join(f"\\fB{_plain(_name(page))}\\fP(1)" for page in related))
    return "\n".join(sections) + "\n"


def _paragraphs(text: str) -> str:
    return "\n.PP\n".join(_plain(paragraph) for paragraph in dedent(text).strip().split("\n\n"))


def _options(options: Iterable[Option]) -> str:
    return "\n".join(f".TP\n{_flag(option)}\n{_plain(help_texts.description_of(option))}" for option in options)


def _flag(option: Option) -> str:
    names = ([f"-{option.short}"] if option.short else []) + [f"--{option.name}"]
    value = "" if option.kind is Kind.BOOL else f"=\\fI{_plain(option.kind.value)}\\fP"
    return ", ".join(f"\\fB{_plain(name)}\\fP" for name in names) + value


def _plain(text: str) -> str:
    """Escape what roff would take for an instruction, and what is not ASCII: not every roff reads UTF-8."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    escaped = re.sub(r"[^\x00-\x7f]", lambda match: f"\\[u{ord(match[0]):04X}]", escaped)
    return re.sub(r"^(?=[.'])", r"\\&", escaped, flags=re.MULTILINE)


def command(program: str) -> Command:
    """Return the command of a program."""
    return Command(
        "man",
        "Write manual pages",
        "Write one manual page for each command into a directory, which is created if need be.",
        examples=f"""
        # into ./man
        {program} man

        # where man finds them
        {program} man --dir "$HOME/.local/share/man/man1"
        """,
        options=(Option("dir", Kind.STRING, "the directory", "man", extensions=DIRECTORY),),
        run=run,
        configured=False,
    )
