"""The guide to rules lists the functions and actions that there are."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from wfx.expressions.expression import Compiler, Purpose
from wfx.expressions.library import own_functions
from wfx.rules import document
from wfx.rules.own_actions import own_actions
from wfx.rules.rule_file import load

GUIDE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")


def test_the_guide_is_current() -> None:
    """The tables of functions and actions are those that the program knows; `make docs` writes them anew."""
    assert document.updated(GUIDE) == GUIDE
    assert "`vars:getOrDefault(varName, defaultValue)`" in GUIDE
    assert "**`reward_points`**" in GUIDE


def test_the_file_of_the_guide_loads() -> None:
    """The file that the guide explains has no faults, and the defaults that it names are the defaults."""
    block = re.findall(r"```yaml\n(version: v1.*?)```", GUIDE, re.DOTALL)[0]
    compiler, types = Compiler(own_functions()), own_actions()
    graph = load(block.encode(), compiler, types)
    without = yaml.safe_dump({key: value for key, value in yaml.safe_load(block).items() if key != "engine"})
    assert load(without.encode(), compiler, types).engine == graph.engine


def test_the_operators_of_the_guide_work() -> None:
    """Each example in the table of operators is an expression."""
    table = GUIDE.partition("| operator |")[2].partition("\n\n")[0]
    examples = re.findall(r"\| `([^|]+)` \|$", table, re.MULTILINE)
    compiler = Compiler(own_functions())
    assert len(examples) == 7
    for text in examples:
        compiler.compile(re.sub(r"\b([ABC])\b", r"payload.\1", text), Purpose.VALUE)
