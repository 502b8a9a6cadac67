"""Help texts and manual pages of all programs are complete."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from command_lines import Run, all_commands, runner

import wfx.cli
import wfx_loadtest.cli
import wfx_viewer.cli
import wfxctl.main
from wfx.commandline import help_texts
from wfx.commandline.grammar import Command, Parsed
from wfx.commandline.options import Kind, Option

PROGRAMS = {
    program.root.name: program
    for program in (wfx.cli.PROGRAM, wfx_loadtest.cli.PROGRAM, wfx_viewer.cli.PROGRAM, wfxctl.main.PROGRAM)
}
COMMANDS = {parsed.words: parsed for program in PROGRAMS.values() for parsed in all_commands(Parsed([program.root]))}
RUNNABLE = [words for words, parsed in COMMANDS.items() if parsed.command.run]


@pytest.mark.parametrize("words", COMMANDS)
def test_help_says_all_there_is(tmp_path: Path, words: str) -> None:
    """Help names the usage, the commands, and every flag with what it is for, in lines that fit a screen."""
    name, *rest = words.split()
    outcome = runner(PROGRAMS[name], tmp_path)(*rest, "--help")
    parsed = COMMANDS[words]
    assert (outcome.code, outcome.err) == (0, "")
    assert f"Usage:\n  {words}" in outcome.out
    for option in parsed.options():
        if option.hidden:
            assert f"--{option.name}" not in outcome.out
            continue
        assert re.search(rf"^ +(-. *,)? *(-\w, )?--{option.name}\b", outcome.out, re.MULTILINE), option.name
    for child in parsed.command.children:
        assert (f"\n  {child.name} " in outcome.out) == (not child.hidden)
    assert all(len(line) <= 120 for line in outcome.out.splitlines())


@pytest.mark.parametrize("words", RUNNABLE)
def test_each_command_has_examples(words: str) -> None:
    """Each command shows two examples or more, each with a comment above."""
    examples = help_texts.example_lines(COMMANDS[words].command.examples).split("\n\n")
    assert len(examples) >= 2
    assert all(example.startswith("# ") for example in examples)
    assert any(words in example for example in examples)


@pytest.mark.parametrize(
    ("option", "shown"),
    [
        (Option("x", Kind.DURATION, "to wait", 15.0), "to wait (default 15s)"),
        (Option("x", Kind.DURATION, "to wait", 90), "to wait (default 1m30s)"),
        (Option("x", Kind.DURATION, "to wait"), "to wait"),
        (Option("x", Kind.STRING, "order", "asc", choices=("asc", "desc")), 'order (one of asc, desc; default "asc")'),
        (Option("x", Kind.STRING, "form", choices=("a", "b")), "form (one of a, b)"),
        (Option("x", Kind.STRING, "kind", "only", choices=("only",)), 'kind (default "only")'),
        (Option("x", Kind.INT, "how many", 3), "how many (default 3)"),
        (Option("x", Kind.BOOL, "whether", True), "whether"),
    ],
)
def test_help_shows_choices_and_defaults_as_they_are_typed(option: Option, shown: str) -> None:
    """Choices are listed, durations have units, texts have quotes, and what is nothing is not shown."""
    assert help_texts.description_of(option) == shown
    assert shown in " ".join(help_texts.usage_text(Parsed([Command("p", "does", options=(option,))])).split())


@pytest.mark.parametrize("name", PROGRAMS)
def test_manual_pages_for_all_commands(tmp_path: Path, name: str) -> None:
    """There is a page for each command, which groff reads without complaint and which dates to the month."""
    run = runner(PROGRAMS[name], tmp_path)
    assert run("man", "--dir", str(tmp_path / "deep/er"), env={"SOURCE_DATE_EPOCH": "1767225600"}).code == 0
    pages = {page.name: page.read_text() for page in (tmp_path / "deep" / "er").iterdir()}
    commands = {words for words in COMMANDS if words.split()[0] == name and words != f"{name} help"}
    assert set(pages) == {f"{words.replace(' ', '-')}.1" for words in commands}
    title = f"{name}-completion".upper()
    assert pages[f"{name}-completion.1"].startswith(f'.TH "{title}" "1" "Jan 2026" "wfx" "wfx manual"\n')
    assert (tmp_path / "deep").stat().st_mode & 0o777 == 0o777 & ~_umask()
    for file, page in pages.items():
        read = subprocess.run(
            ["groff", "-man", "-Tutf8", "-ww"], input=page.encode(), capture_output=True, timeout=60, check=True
        )
        assert read.stderr == b"", file


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_manual_page_reads_like_the_help(run: Run, tmp_path: Path) -> None:
    """A page shows flags, defaults and examples literally, also where they begin with a dot or hold backslashes."""
    run("man")
    page = (tmp_path / "man" / "wfxctl-job-get-status.1").read_bytes()
    shown = subprocess.run(
        ["groff", "-man", "-Tascii", "-P-cbou"], input=page, capture_output=True, timeout=60, check=True
    ).stdout.decode()
    assert "--id=string" in shown
    assert """--filter '"\\(.state) \\(.progress // 0)%"' --raw""" in " ".join(shown.split())
    assert "wfxctl-job(1)" in shown


def test_manual_pages_need_a_place(run: Run, tmp_path: Path) -> None:
    """A directory that cannot be is an error."""
    (tmp_path / "file").touch()
    outcome = run("man", "--dir", "file/x")
    assert outcome.code == 1
    assert outcome.err == "Error: cannot write manual pages to file/x: Not a directory\n"
