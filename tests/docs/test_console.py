"""What the guides show is what happens: their ``console`` blocks are run against one real service, in any order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from wfx.demo.local import LocalService
from wfx.server.limits import MAX_STREAMS

ROOT = Path(__file__).parents[2]
OWN = {"webhooks.md", "scripts.md"}
"""Guides that need a service with other options; they have tests of their own."""
GUIDES = [ROOT / "README.md", *sorted(page for page in (ROOT / "docs").glob("*.md") if page.name not in OWN)]
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_END = "--- end of command ---"


@dataclass(frozen=True, slots=True)
class Step:
    """A command and the lines that it is said to print."""

    command: str
    shown: list[str]


def steps(guide: Path) -> Iterator[Step]:
    """Read all commands of a guide with their output; lines that end in a backslash go on."""
    for block in _BLOCK.findall(guide.read_text(encoding="utf-8")):
        command, shown, going_on = "", list[str](), False
        for line in block.splitlines():
            if going_on:
                command += "\n" + line
            elif line.startswith("$ "):
                if command:
                    yield Step(command, shown)
                command, shown = line.removeprefix("$ "), []
            else:
                shown.append(line)
            going_on = line.endswith("\\") and (going_on or line.startswith("$ "))
        if command:
            yield Step(command, shown)


def matches(shown: str, printed: str) -> bool:
    """Compare a line of a guide with what was printed; an ellipsis stands for anything."""
    pattern = ".*".join(re.escape(part) for part in shown.split("…"))
    return re.fullmatch(pattern, printed) is not None


def tree_below(home: Path) -> Path:
    """Make a look-alike of the source tree, in which guides may leave files."""
    tree = home / "tree"
    tree.mkdir()
    for entry in ROOT.iterdir():
        (tree / entry.name).symlink_to(entry)
    return tree


def run(script: str, service: LocalService, tree: Path) -> list[str]:
    """Run a shell script in a tree; returns what each command printed."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tree.parent),
        "NO_COLOR": "1",
        "WFX_CLIENT_PORT": str(service.ports["south"]),
        "WFX_MGMT_PORT": str(service.ports["north"]),
    }
    command = ["bash", "-c", script]
    ran = subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, timeout=560, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split(_END + "\n")[:-1]


def follow(guide: Path, service: LocalService, tree: Path) -> None:
    """Run the commands of a guide; each succeeds, and prints what the guide shows where it shows something."""
    wanted = list(steps(guide))
    if not wanted:
        return
    text = "\n".join(f"{step.command}\necho '{_END}'" for step in wanted)
    for side, port in (("south", 8080), ("north", 8081)):
        text = re.sub(rf"(localhost|127\.0\.0\.1):{port}\b", f"127.0.0.1:{service.ports[side]}", text)
    printed = run(text, service, tree)
    assert len(printed) == len(wanted), guide.name
    for step, output in zip(wanted, printed, strict=True):
        lines = output.splitlines() if step.shown else []
        assert len(lines) == len(step.shown), f"{guide.name}: $ {step.command}\n{output}"
        for line, shown in zip(lines, step.shown, strict=True):
            assert matches(shown, line), f"{guide.name}: $ {step.command}\nshown:   {shown}\nprinted: {line}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("order", [GUIDES[1:], GUIDES[:0:-1]], ids=["forwards", "backwards"])
def test_commands_of_guides(order: list[Path], tmp_path: Path) -> None:
    """Whoever follows the README, and then all guides in any order, sees what they show, with one service."""
    tree = tree_below(tmp_path)
    (tree / "artifacts").mkdir()
    options = (f"--simple-fileserver={tree}/artifacts", f"--rules={ROOT}/spec/rules/high-value-food.yml")
    with LocalService(tmp_path, *options) as service:
        for guide in (GUIDES[0], *order):
            follow(guide, service, tree)


def test_only_our_own_is_installed() -> None:
    """No page tells anybody to install a package by a name that a stranger may have on a public index."""
    wanted = [
        f"{page.name}: {target}"
        for page in [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("*/README.md")]
        for target in re.findall(r"pip install (?:-\S+ )*['\"]?([^\s'\"`]+)", page.read_text(encoding="utf-8"))
        if not target.startswith((".", "/"))
    ]
    assert not wanted


def test_the_limit_of_streams_is_told() -> None:
    """The guide to events names the number of requests at a time on an HTTP/2 connection."""
    guide = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    assert f"serves {MAX_STREAMS} requests at a time on each" in guide


def test_the_front_page_shows_commands() -> None:
    """The README has a tour, so that the check above has something to look at."""
    assert len(list(steps(ROOT / "README.md"))) >= 5


def test_links_lead_somewhere() -> None:
    """Each relative link in the documentation leads to a file."""
    missing = [
        f"{guide.name}: {target}"
        for guide in [*GUIDES, *ROOT.glob("*.md"), *(ROOT / "spec").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#:]+)\)", guide.read_text(encoding="utf-8"))
        if not (guide.parent / target).exists()
    ]
    assert not missing
