"""The guide to scripts works as it stands: its commands, its rules, and its table of limits."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.test_console import ROOT, follow, tree_below
from wfx.config.options import BY_NAME
from wfx.demo.local import LocalService
from wfx.rules.own_actions import own_actions

GUIDE = ROOT / "docs" / "scripts.md"
TEXT = GUIDE.read_text(encoding="utf-8")


def test_the_guide_works(tmp_path: Path) -> None:
    """With the rules of the guide, the commands of the guide print what it shows."""
    (rules,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    file = tmp_path / "rules.yml"
    file.write_text(rules)
    with LocalService(tmp_path, "--enable-scripts", f"--rules={file}") as service:
        follow(GUIDE, service, tree_below(tmp_path))


def test_limits_are_told() -> None:
    """The table of limits has the options that there are, with their defaults."""
    rows = re.findall(r"^\| `--(vm-pool-[a-z-]+)` \| ([0-9,]+) \|", TEXT, re.MULTILINE)
    told = {name: float(default.replace(",", "")) for name, default in rows}
    options = {name: option for name, option in BY_NAME.items() if name.startswith("vm-pool-")}
    assert told == {name: float(each.default) for name, each in options.items() if name != "vm-pool-preload-size"}


def test_the_action_is_there() -> None:
    """Rules know the action that the guide names."""
    assert "run_script" in own_actions()
