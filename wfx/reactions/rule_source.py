"""Where rules come from: the file of an option, read and compiled."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from wfx.rules.faults import RulesInvalid
from wfx.rules.graph import Graph
from wfx.rules.step_types import Steps, installed_steps

if TYPE_CHECKING:
    from wfx.expressions.expression import Compiler
    from wfx.rules.action_types import ActionTypes


class RulesUnusable(Exception):
    """The rules cannot be used."""

    def __init__(self, *faults: str) -> None:
        """Keep what is wrong, each fault with its place."""
        super().__init__(faults[0])
        self.faults = faults


@dataclass(frozen=True, slots=True)
class RuleSource:
    """A file, and how its expressions are read."""

    path: str = ""
    """Empty if there are no rules."""
    strict: bool = False
    """Whether only those functions may be called that strict mode allows."""


@dataclass(frozen=True, slots=True)
class LoadedRules:
    """The rules of a file."""

    source: RuleSource
    sha256: str
    """Of the file's content, in hexadecimal digits."""
    graph: Graph
    steps: Steps
    """Those that there are, whether or not the rules have them."""


def load(source: RuleSource, known: LoadedRules | None = None) -> LoadedRules:
    """Read the rules of a source, unless they are those that are known. Takes a while. Raises RulesUnusable."""
    content = _content(source.path)
    digest = sha256(content).hexdigest()
    if known is not None and (known.source, known.sha256) == (source, digest):
        return known
    from wfx.rules.rule_file import load as compile_rules  # what only a server with rules needs

    try:
        graph = compile_rules(content, *_language(source.strict))
    except RulesInvalid as exc:
        raise RulesUnusable(*(fault.at(source.path) for fault in exc.faults)) from exc
    return LoadedRules(source, digest, graph, _steps())


@cache
def _language(strict: bool) -> tuple[Compiler, ActionTypes]:
    """Return the functions and types of actions that there are; packages are looked for once."""
    from wfx.expressions.expression import Compiler
    from wfx.expressions.library import all_functions

    try:
        return Compiler(all_functions(), strict=strict), action_types()
    except ValueError as exc:
        raise RulesUnusable(str(exc)) from exc


@cache
def action_types() -> ActionTypes:
    """Return the types of actions that there are, which know the steps. Raises RulesUnusable."""
    from wfx.rules.own_actions import all_actions

    try:
        return all_actions(_steps())
    except ValueError as exc:
        raise RulesUnusable(str(exc)) from exc


@cache
def _steps() -> Steps:
    """Return the steps of installed packages, which are looked for once."""
    try:
        return installed_steps()
    except ValueError as exc:
        raise RulesUnusable(str(exc)) from exc


def _content(path: str) -> bytes:
    """Read a file without waiting for one that is a pipe, and not much more than may be used of it."""
    from wfx.rules.yaml_document import LARGEST  # with the YAML library, which only a server with rules needs

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise RulesUnusable(f"{path} is no regular file")
            return file.read(LARGEST + 1)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise RulesUnusable(f"cannot read {path}: {reason}") from exc
