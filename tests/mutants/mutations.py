"""The mutants of a module, as Cosmic Ray's operators make them; not those of annotations, or that do not compile."""

from __future__ import annotations

import ast
import difflib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change to one module."""

    module: str
    operator: str
    occurrence: int

    @property
    def name(self) -> str:
        """What tells it from others as long as its module stays the same."""
        return f"{self.module} {self.operator} {self.occurrence}"

    def code(self) -> str | None:
        """The module with the change; None if that changes nothing when it runs, or does not compile."""
        original = (ROOT / self.module).read_text(encoding="utf-8")
        changed: str | None = mutate_code(original, plugins.get_operator(self.operator)(), self.occurrence)
        return changed if changed is not None and _effect(changed) not in ("", _effect(original)) else None

    def diff(self) -> list[str]:
        """The lines that go and the lines that come, without their indentation."""
        original, changed = (ROOT / self.module).read_text(encoding="utf-8"), self.code() or ""
        lines = list(difflib.unified_diff(original.splitlines(), changed.splitlines(), n=0, lineterm=""))[2:]
        return [f"{line[0]}{line[1:].strip()}" for line in lines if line[0] in "+-"]


def mutants_of(module: str) -> Iterator[Mutant]:
    """All mutants of a module, in the same order each time."""
    tree = get_ast((ROOT / module).read_text(encoding="utf-8"))
    for name in sorted(plugins.operator_names()):
        operator = plugins.get_operator(name)
        if not operator.arguments():
            count = sum(1 for node in ast_nodes(tree) for _ in operator().mutation_positions(node))
            yield from (Mutant(module, name, occurrence) for occurrence in range(count))


def sample(modules: list[str], count: int, seed: str) -> Iterator[Mutant]:
    """So many mutants of some modules, spread evenly by the seed; more of them begin with the same ones."""
    every = [mutant for module in modules for mutant in mutants_of(module)]
    random.Random(seed).shuffle(every)
    for mutant in every:
        if count <= 0:
            return
        if mutant.code() is not None:
            count -= 1
            yield mutant


def _effect(code: str) -> str:
    """What of a module matters when it runs: everything but annotations. Nothing if it does not compile."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.dump(tree)
