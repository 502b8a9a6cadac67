"""Help about commands, and manual pages (cli section 1)."""

from __future__ import annotations

import re
import time
from inspect import cleandoc
from pathlib import Path

import click

from wfx_loadtest.command import Verb

_HELP_EXAMPLES = """\
wfx-loadtest help
wfx-loadtest help populate"""
_MAN_EXAMPLES = """\
wfx-loadtest man
wfx-loadtest man --dir "$HOME/.local/share/man/man1\""""


@click.command("help", cls=Verb, epilog=_HELP_EXAMPLES)
@click.argument("topic", nargs=-1)
@click.pass_context
def help_command(context: click.Context, topic: tuple[str, ...]) -> None:
    """Show the help of a command."""
    root = context.find_root()
    command, name = root.command, [root.info_name or ""]
    for word in topic:
        inner = command.get_command(root, word) if isinstance(command, click.Group) else None
        if inner is None:
            click.echo(f"Unknown help topic: {' '.join(topic)!r}\n\n{root.get_help()}", err=True)
            return
        command = inner
        name.append(word)
    click.echo(command.get_help(_context_of(command, name)))


@click.command("man", cls=Verb, epilog=_MAN_EXAMPLES)
@click.option("--dir", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path("man"),
              show_default=True, help="the directory")
@click.pass_context
def man(context: click.Context, folder: Path) -> None:
    """Write manual pages, one for each command.

    The directory is created if need be.
    """
    root = context.find_root()
    assert isinstance(root.command, click.Group), "the program has commands"
    program = root.info_name or ""
    names = [[program], *([program, name] for name in root.command.list_commands(root)
                          if not root.command.commands[name].hidden)]
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for name in names:
            command = root.command.commands[name[1]] if len(name) > 1 else root.command
            (folder / f"{'-'.join(name)}.1").write_text(_page(command, name, names), "utf-8")
    except OSError as exc:
        raise click.ClickException(f"cannot write manual pages: {exc}") from exc


def _context_of(command: click.Command, name: list[str]) -> click.Context:
    return click.Context(command, info_name=" ".join(name), max_content_width=110, help_option_names=["-h", "--help"])


def _page(command: click.Command, name: list[str], names: list[list[str]]) -> str:
    context = _context_of(command, name)
    title = "-".join(name)
    options = [record for parameter in command.get_params(context)
               if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context))]
    others = [other for other in names if other != name and other[:1] == name[:1]]
    lines = [
        f'.TH "{title.upper()}" "1" "{time.strftime("%b %Y")}" "" ""',
        ".SH NAME", _roff(f"{title} - {command.get_short_help_str(200).rstrip('.')}"),
        ".SH SYNOPSIS", f".B {_roff(' '.join(name))}", _roff(" ".join(command.collect_usage_pieces(context))),
        ".SH DESCRIPTION", *_description(command.help or ""),
        ".SH OPTIONS", *(line for flag, text in options for line in (".TP", f"\\fB{_roff(flag)}\\fR", _roff(text))),
        ".SH EXAMPLES", ".nf", *map(_roff, (command.epilog or "").splitlines()), ".fi",
        ".SH SEE ALSO", ", ".join(f"\\fB{_roff('-'.join(other))}\\fR(1)" for other in others),
    ]
    return "\n".join(lines) + "\n"


def _description(text: str) -> list[str]:
    paragraphs = re.split(r"\n\s*\n", cleandoc(text))
    return [line for paragraph in paragraphs for line in (".PP", *map(_roff, paragraph.splitlines()))]


def _roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
