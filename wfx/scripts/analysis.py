"""Static analysis: what in a source its author should look at. Run by the workers (never imported by the server).

It is advice, no wall: ``globalThis["ev" + "al"]`` is found by nobody, and finds nothing to run (``guest.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from wfx.scripts.runs import Finding, Severity
from wfx.scripts.source_positions import position_behind

_LANGUAGE = Language(tree_sitter_javascript.language())
_QUERY = Query(_LANGUAGE, Path(__file__).with_name("findings.scm").read_text(encoding="utf-8"))
_PARSER = Parser(_LANGUAGE)
_MOST = 100
"""Findings of one source; more help nobody. Those that are less severe are left out first."""
_LARGEST = 1_000
"""Parts of a loop that are looked at; a larger one is taken for one that ends."""
_GLOBALS = {"payload", "next", "nflow_data"}
"""Names that scripts are given, and may assign to."""
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_FUNCTIONS = ("function", "arrow_function", "method_definition", "generator_function", "class")
_EXITS = ("return_statement", "throw_statement", "yield_expression", "await_expression")
_LOOPS = ("for_statement", "for_in_statement", "while_statement", "do_statement", "switch_statement")
_TYPES = {
    "eval": (Severity.HIGH, "eval runs text as code: there is nothing in a script that does"),
    "function": (Severity.HIGH, "Function makes code from text: there is nothing in a script that does"),
    "constructor": (Severity.HIGH, "the constructor of a function makes code from text: there is nothing that does"),
    "require": (Severity.HIGH, "require loads a module: there are none"),
    "child_process": (Severity.HIGH, "child_process starts programs: a script cannot"),
    "import": (Severity.HIGH, "import loads a module: there are none"),
    "process": (Severity.HIGH, "process is not there for a script"),
    "endless_loop": (Severity.MEDIUM, "this loop has no end that can be seen; it may reach the limit of operations"),
    "prototype": (Severity.MEDIUM, "a prototype is changed; the change is gone after the run"),
    "global": (Severity.LOW, "a global that is not declared is assigned to; it is gone after the run"),
}
_LEAST_FIRST = (Severity.LOW, Severity.MEDIUM, Severity.HIGH)
_NAMED = {"eval": "eval", "function": "Function", "require": "require", "process": "process"}
"""Types about a name, which a script may declare for something else."""


def findings_of(text: bytes) -> list[Finding]:
    """Return what is found in a source (UTF-8), in the order of the text, each place and type once."""
    captures = QueryCursor(_QUERY).captures(_PARSER.parse(text).root_node)
    declared = _names(captures.get("declared", []))
    found = {(node.start_byte, kind) for kind in _TYPES for node in _relevant(kind, captures, declared)}
    kept = sorted(sorted(found), key=_severity_of, reverse=True)[:_MOST]
    return [_finding(text, at, kind) for at, kind in sorted(kept)]


def _names(patterns: list[Node]) -> set[str]:
    """Return the names in patterns of declarations; each text is read once, however deep patterns nest."""
    found: set[str] = set()
    end = 0
    for node in sorted(patterns, key=_extent):
        if node.start_byte >= end:
            end = node.end_byte
            found.update(_NAME.findall(_text(node)))
    return found


def _extent(node: Node) -> tuple[int, int]:
    return node.start_byte, -node.end_byte


def _relevant(kind: str, captures: dict[str, list[Node]], declared: set[str]) -> Iterator[Node]:
    """Sort out what only looks like a finding."""
    for node in captures.get(kind, [])[: 2 * _MOST]:
        if kind == "endless_loop" and (_never_runs(node) or _has_exit(node)):
            continue
        if node.type == "identifier" and _NAMED.get(kind) in declared:
            continue
        if kind == "global" and _text(node) in declared | _GLOBALS:
            continue
        yield node
    if kind == "global":
        yield from captures.get("global_object", [])


def _never_runs(loop: Node) -> bool:
    condition = loop.child_by_field_name("condition")
    return condition is not None and _text(condition).strip("() ") in {"0", "0.0"}


def _has_exit(loop: Node) -> bool:
    """Whether something within a loop may leave it: return, throw, or a break that is its own or names a label."""
    waiting = [(child, False) for child in loop.children]
    for _ in range(_LARGEST):
        if not waiting:
            return False
        node, inner = waiting.pop()
        if node.type in _EXITS:
            return True
        if node.type == "break_statement" and (not inner or node.child_by_field_name("label") is not None):
            return True
        if not node.type.startswith(_FUNCTIONS):
            waiting += [(child, inner or node.type in _LOOPS) for child in node.children]
    return True


def _severity_of(found: tuple[int, str]) -> int:
    return _LEAST_FIRST.index(_TYPES[found[1]][0])


def _finding(text: bytes, at: int, kind: str) -> Finding:
    severity, message = _TYPES[kind]
    return Finding(kind, severity, message, position_behind(text[:at].decode()))


def _text(node: Node) -> str:
    return (node.text or b"").decode()
