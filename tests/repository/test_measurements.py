"""No test's verdict hangs on how fast the machine is, or on how much memory it has left."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
MEASURING = {"soak", "bench"}
"""Directories whose subject is measuring; ``make attack`` prints latencies, and judges none."""
NAMES = {
    "perf_counter", "perf_counter_ns", "process_time", "process_time_ns", "thread_time", "thread_time_ns", "cpu_times",
    "memory_info", "memory_full_info", "getrusage", "tracemalloc", "rss", "VmRSS", "VmHWM", "monotonic_ns",
}  # fmt: skip
"""What measures time or memory. ``time.monotonic`` is fine for deadlines: it must be compared, never subtracted."""
WAITS = {"timeout", "wait_for", "wait", "join", "communicate", "settimeout", "get", "stream", "Client", "AsyncClient"}
"""Calls that may give up after seconds, given by a number."""
GENEROUS = 10
REASON = re.compile(r"# measured: \S+")
"""Stands on a line that measures without a verdict, with the reason."""


def modules() -> Iterator[Path]:
    """The modules of tests in which nothing is measured."""
    for path in sorted(TESTS.rglob("*.py")):
        place = path.relative_to(TESTS)
        if not MEASURING & {*place.parts} and path != Path(__file__):
            yield path


def is_clock(node: ast.AST) -> bool:
    """Whether this asks for the time."""
    match node:
        case ast.Call(func=ast.Attribute(attr="monotonic" | "time", value=ast.Name(id="time" | "loop"))):
            return True
    return False


def number(node: ast.AST | None, names: dict[str, ast.expr]) -> float:
    """The seconds that a constant says, also by its name; no limit for what is none."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return value
        case ast.Name(id=name) if name in names:
            return number(names[name], {})
    return GENEROUS


def constants(tree: ast.Module) -> dict[str, ast.expr]:
    """The names that a module gives to values."""
    return {
        target.id: node.value
        for node in tree.body if isinstance(node, ast.Assign)
        for target in node.targets if isinstance(target, ast.Name)
    }  # fmt: skip


def findings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Lines that measure, or that do not wait for long, and why."""
    names = constants(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.Constant(value=str(name)) if name in NAMES:
                yield node.lineno, f"{name} measures"
            case ast.BinOp(op=ast.Sub(), left=left, right=right) if is_clock(left) or is_clock(right):
                yield node.lineno, "a difference of times measures"
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in WAITS:
                named = [word.value for word in node.keywords if word.arg == "timeout"]
                place = 1 if name == "wait_for" else 0
                given = [*named, *node.args[place : place + 1]] if name not in {"get", "stream"} else named
                if any(0 < number(seconds, names) < GENEROUS for seconds in given):
                    yield node.lineno, f"gives up after less than {GENEROUS} s"
            case ast.Call(keywords=words) if any(
                word.arg == "timeout" and 0 < number(word.value, names) < GENEROUS for word in words
            ):
                yield node.lineno, f"gives up after less than {GENEROUS} s"


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(TESTS)))
def test_nothing_is_measured(path: Path) -> None:
    """Tests count operations, objects and bytes; deadlines only guard against hanging, and leave ten seconds."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = sorted({(line, why) for line, why in findings(ast.parse(text)) if not REASON.search(lines[line - 1])})
    assert [f"{path.relative_to(TESTS)}:{line}: {why}" for line, why in found] == []


@pytest.mark.parametrize("source", [
    "began = time.perf_counter()", "assert process.memory_info().rss < 80", "took = time.monotonic() - began",
    "from time import thread_time\nthread_time()", 'line.startswith("VmHWM")', "assert loop.time() - began < 1",
    "await asyncio.wait_for(work, 5)", "async with asyncio.timeout(2): pass", "thread.join(1)", "p.wait(timeout=3.5)",
    "LATE = 3.0\nasync with asyncio.timeout(LATE): pass", "subprocess.run(command, timeout=5)",
    "httpx.get(url, timeout=1)",
])  # fmt: skip
def test_measurements_are_found(source: str) -> None:
    """A clock, a look at memory and a short deadline are found."""
    assert list(findings(ast.parse(source)))


@pytest.mark.parametrize("source", [
    "deadline = time.monotonic() + 20\nwhile time.monotonic() < deadline: pass", "httpx.get(url, timeout=60)",
    "await asyncio.wait_for(work, DEADLINE)", "', '.join(words)", "await event.wait()", "values.get(3)",
])  # fmt: skip
def test_deadlines_are_no_measurements(source: str) -> None:
    """Waiting with a generous deadline is fine."""
    assert list(findings(ast.parse(source))) == []
