"""What the guide for plugin authors shows is true."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from plugin_programs import ROOT, PluginDirectory, StartChain

from wfx.plugin.decode import decode_answer
from wfx.plugin.message import PASS, Action, Request, Respond

RequestOf = Callable[..., Request]
GUIDE = (ROOT / "docs" / "plugins.md").read_text()


def blocks(language: str) -> list[str]:
    """Give the code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


async def test_ten_lines(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """The plugin in ten lines denies deletions to all but administrators, and lets everything else pass."""
    (source,) = blocks("python")
    assert len([line for line in source.splitlines() if line.strip()]) <= 10
    plugins.sdk("ten", source)
    chain = await start()
    deleting = request_of("/x", Action.DELETE)
    as_admin = request_of("/x", Action.DELETE, [(b"X-Role", (b"admin",))])
    decided = await asyncio.gather(*map(chain.decide, [deleting, as_admin, request_of("/x")]))
    assert decided == [Respond(403, (), b"only administrators may delete\n"), as_admin, request_of("/x")]


def test_vectors() -> None:
    """The two answers that the guide spells in bytes are what they are said to be."""
    (text,) = (block for block in blocks("text") if block.startswith("1c"))
    frames = [bytes.fromhex(frame) for frame in text.split("\n\n")]
    assert [len(frame) - 4 for frame in frames] == [int.from_bytes(frame[:4], "little") for frame in frames]
    assert [decode_answer(frame[4:]) for frame in frames] == [(7, PASS), (7, Respond(403, (), b"no\n"))]


def test_configuration_of_auth() -> None:
    """The configuration in the guide has the members of the sample file."""
    (text,) = blocks("json")
    sample = json.loads((ROOT / "plugins" / "examples" / "auth" / "auth.json").read_text())
    assert json.loads(text).keys() == sample.keys()


def test_every_example_is_described() -> None:
    """The table of examples lists exactly the directories there are."""
    listed = re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in (ROOT / "plugins" / "examples").iterdir() if path.is_dir())


def test_the_sdk_can_be_installed_alone(tmp_path: Path) -> None:
    """Building the SDK gives a wheel that holds it, its types and the generated messages."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT / "plugins", check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("wfx_plugin-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert names >= {"wfx_plugin/py.typed", "wfx_plugin/running.py", "wfx_plugin/generated/messages.py"}
    assert not any(name.startswith("examples") for name in names)
