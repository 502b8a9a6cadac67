"""A program that does not start: the message names what is missing, which often is not the program."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from plugin_programs import PluginDirectory, StartChain

from wfx.plugin import interpreter
from wfx.plugin.errors import PluginRefused

MISSING = "its interpreter /no/such/python does not exist"
NO_NAME = "its first line names no interpreter (Exec format error)"
NO_PROGRAM = "it is neither a program for this machine nor a script with a #! line (Exec format error)"
FIRST_LINES = {
    b"#!/no/such/python\nrest": MISSING,
    b"#! \t/no/such/python -I\nrest": MISSING,
    b"#!/no/such/python\t-I": MISSING,
    b"#!/no/such/python": MISSING,
    b"#!/bin/sh\r\necho\r\n": "its interpreter /bin/sh cannot be found: the lines of the file end in CR LF",
    b"#!\n": NO_NAME,
    b"#!  \nx": NO_NAME,
    b"print('hello')\n": NO_PROGRAM,
    b"\x7fELF but not really": NO_PROGRAM,
    b"": NO_PROGRAM,
}


@pytest.mark.parametrize("content", FIRST_LINES)
async def test_the_message_names_what_is_missing(plugins: PluginDirectory, start: StartChain, content: bytes) -> None:
    """The reason names the interpreter, or says that the file is no program."""
    file = plugins.path / "p"
    file.write_bytes(content)
    file.chmod(0o755)
    with pytest.raises(PluginRefused) as refused:
        await start()
    assert str(refused.value) == f"plugin {file} does not start: {FIRST_LINES[content]}"


@pytest.fixture
def foreign(plugins: PluginDirectory) -> None:
    """Build a program for another C library."""
    compiler = shutil.which("cc")
    assert compiler, "a C compiler is missing: install Debian's gcc"
    source = plugins.path.parent / "p.c"
    source.write_text("int main(void) { return 0; }")
    command = [compiler, "-Wl,--dynamic-linker=/lib/ld-of-another-system.so.1", "-o", plugins.path / "p", source]
    subprocess.run(command, check=True, timeout=60)


@pytest.mark.usefixtures("foreign")
async def test_a_program_for_another_system(start: StartChain) -> None:
    """A program whose loader is not installed, as one built for another C library, is told apart from a missing one."""
    with pytest.raises(PluginRefused, match="the loader it was built for does not exist"):
        await start()


def test_a_program_that_has_gone(tmp_path: Path) -> None:
    """What was removed since it was found is said to be missing."""
    gone = FileNotFoundError(2, "No such file or directory")
    assert interpreter.reason(tmp_path / "p", gone) == "No such file or directory"


def test_a_program_that_the_system_does_not_want(tmp_path: Path) -> None:
    """Other reasons are the system's, about the interpreter if there is one."""
    denied = PermissionError(13, "Permission denied")
    (tmp_path / "p").write_bytes(b"\x7fELF")
    assert interpreter.reason(tmp_path / "p", denied) == "Permission denied"
    (tmp_path / "p").write_bytes(b"#!/srv/python\n")
    assert interpreter.reason(tmp_path / "p", denied) == "its interpreter /srv/python cannot be run (Permission denied)"
