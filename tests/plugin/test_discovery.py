"""Which files of a directory are plugins, and in which order they stand."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from wfx.plugin.chain import PluginChain
from wfx.plugin.discovery import discover
from wfx.plugin.errors import PluginRefused
from wfx.plugin.program import PluginSettings


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Make a directory and a program to link to."""
    (tmp_path / "plugins").mkdir()
    return tmp_path / "plugins"


def program(path: Path, mode: int = 0o755) -> Path:
    """Write an executable file."""
    path.write_text("#!/bin/cat\n")
    path.chmod(mode)
    return path


def test_order_is_that_of_names(directory: Path) -> None:
    """Plugins are sorted by their names in the directory, byte-wise, wherever links lead to."""
    for name in ("b", "a", "10-z", "B", "é"):
        program(directory / name)
    (directory / "0-link").symlink_to("/bin/cat")
    assert [found.name for found in discover(directory)] == ["0-link", "10-z", "B", "a", "b", "é"]


def test_links_are_resolved(directory: Path) -> None:
    """A symbolic link stands for its target, whose absolute path is run."""
    (directory / "cat").symlink_to("/bin/cat")
    assert [found.path for found in discover(directory)] == [Path("/bin/cat").resolve()]


def test_relative_directory(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative directory such as . gives absolute paths, which are never searched for in PATH."""
    program(directory / "cat")
    monkeypatch.chdir(directory)
    assert [found.path for found in discover(Path())] == [directory / "cat"]


def test_what_is_no_program_is_ignored(directory: Path) -> None:
    """Files without execute permission, directories, FIFOs, dangling and looping links are passed over."""
    for name, mode in (("good", 0o700), ("groups", 0o610), ("others", 0o601)):
        program(directory / name, mode)
    program(directory / "text", 0o644)
    (directory / "folder").mkdir()
    os.mkfifo(directory / "fifo", 0o755)
    (directory / "dangling").symlink_to(directory / "nowhere")
    (directory / "loop").symlink_to(directory / "loop")
    assert [found.name for found in discover(directory)] == ["good", "groups", "others"]


@pytest.mark.parametrize("name", ["missing", "file"])
def test_unusable_directory(directory: Path, name: str) -> None:
    """A directory that does not exist, or is none, is refused with its path."""
    program(directory / "file")
    with pytest.raises(PluginRefused, match=name):
        discover(directory / name)


def test_file_writable_by_others(directory: Path) -> None:
    """A plugin that anybody may overwrite is refused with its path and what to do."""
    program(directory / "open", 0o757)
    with pytest.raises(PluginRefused, match=r"plugins/open is writable by others.*chmod o-w"):
        discover(directory)


def test_directory_writable_by_others(directory: Path) -> None:
    """A directory into which anybody may put a plugin is refused, even while it is empty."""
    directory.chmod(0o757)
    with pytest.raises(PluginRefused, match="plugins is writable by others"):
        discover(directory)


def test_target_directory_writable_by_others(directory: Path, tmp_path: Path) -> None:
    """A link to a program that anybody may replace is refused."""
    (tmp_path / "shared").mkdir()
    (directory / "link").symlink_to(program(tmp_path / "shared" / "tool"))
    (tmp_path / "shared").chmod(0o777)
    with pytest.raises(PluginRefused, match="shared is writable by others"):
        discover(directory)


async def test_no_program_leaves_nothing_running(directory: Path, tmp_path: Path) -> None:
    """A file that the kernel cannot run is refused at start, and the plugins before it are stopped again."""
    mark = tmp_path / "pid"
    (directory / "a").write_text(f"#!/bin/sh\necho $$ > {mark}.new; mv {mark}.new {mark}; exec cat\n")
    (directory / "a").chmod(0o755)
    (directory / "b").write_bytes(b"\x00\x01 no program")
    (directory / "b").chmod(0o755)
    with pytest.raises(PluginRefused, match=r"plugins/b does not start"):
        await PluginChain.start(directory, PluginSettings(max_body=1000), asyncio.Event())
    await asyncio.sleep(0)
    if mark.exists():  # the shell may have been stopped before it came to this
        with pytest.raises(ProcessLookupError):
            os.kill(int(mark.read_text()), 0)


async def test_empty_directory(directory: Path) -> None:
    """An empty directory is a chain of no plugins."""
    chain = await PluginChain.start(directory, PluginSettings(max_body=1000), asyncio.Event())
    assert len(chain) == 0
    await chain.stop()
