"""No pattern lets a short text cost much work."""

from __future__ import annotations

import importlib
import inspect
import itertools
import pkgutil
import random
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import jsonschema_rs
import orjson
import pytest
from backtracking import Backtracking, TooManyTriesError
from counting import instructions

import wfx
from wfx import spec_files
from wfx.api import body, request_schemas, schema_checks, spec
from wfx.api.bad_request import BadRequest
from wfx.demo.local import LocalService

MANY = 400
"""Texts that are tried on each pattern, at most."""
READS_FROM_CLIENTS = ("api", "domain", "events", "filtering", "jq_language", "plugin", "server", "service", "store")
"""The packages whose patterns see what clients and plugins send; the others see what operators type."""
SHORT, LONGER = 40, 4
MOST = 6
"""How many times as much work a text may be that is ``LONGER`` times as long; a quadratic pattern makes it 16 times."""
FEW = 200
"""Tries that are not worth a comparison."""
REASONS = {
    "wfx.filtering.encoding._STRING_OR_NUMBER": "sees JSON texts of our own encoder: no string in them is left open",
}
"""Patterns that may take more, and why it does not matter."""


def patterns(document: Any) -> Iterator[str]:
    """Find every pattern in a document, wherever it stands."""
    if isinstance(document, dict):
        if isinstance(found := document.get("pattern"), str):
            yield found
        for value in document.values():
            yield from patterns(value)
    elif isinstance(document, list):
        for value in document:
            yield from patterns(value)


PATTERNS = sorted(
    {
        *patterns([*map(spec.document, spec.DOCUMENTS)]),
        *patterns(orjson.loads(spec_files.find("workflow.schema.json").read_bytes())),
    }
)


def compiled() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Find the patterns of the server's modules, by name, and those of the document."""
    for package in READS_FROM_CLIENTS:
        for module in pkgutil.walk_packages([f"{wfx.__path__[0]}/{package}"], f"wfx.{package}."):
            if ".generated" not in module.name:
                for name, value in vars(importlib.import_module(module.name)).items():
                    found = value if isinstance(value, re.Pattern) else getattr(value, "__self__", None)
                    if isinstance(found, re.Pattern):
                        yield f"{module.name}.{name}", found
    for pattern in PATTERNS:
        yield pattern, re.compile(pattern)


COMPILED = dict(compiled())


def text_parts(alphabet: list[str]) -> list[tuple[str, str, str]]:
    """Make texts that repeat one or two characters, begin with another, and may end in one more; about ``MANY``.

    Each is given as what it begins with, what it repeats, and what it ends in.
    """
    pieces = [*alphabet, *map("".join, itertools.permutations(alphabet, 2))]
    parts = list(itertools.product(("", *alphabet), pieces, ("", *alphabet)))
    return parts[:: max(1, len(parts) // MANY)]


def is_linear(pattern: re.Pattern[Any], used: set[str]) -> bool:
    """Whether longer texts take no more than their share of tries, when the pattern is used by these methods."""
    matcher = Backtracking(pattern)

    def tries(text: Any, most: int) -> int:
        matcher.on(text, most)
        if used != {"fullmatch"}:
            matcher.spans(skips=not used <= {"match", "fullmatch"})
        once = matcher.tries
        if "fullmatch" in used:
            matcher.on(text, most).fullmatch()
        return max(once, matcher.tries)

    for head, piece, tail in text_parts(matcher.alphabet()):
        made = [head + piece * (length // len(piece)) + tail for length in (SHORT, LONGER * SHORT)]
        short, long = [text.encode("latin-1") for text in made] if isinstance(pattern.pattern, bytes) else made
        try:
            tries(long, max(FEW, MOST * tries(short, 100 * len(short) + FEW)))
        except TooManyTriesError:
            return False
    return True


def test_there_are_patterns() -> None:
    """The document and the schema of workflow files restrict names, identities and positions by patterns."""
    assert len(PATTERNS) >= 3
    assert len(COMPILED) > 20
    assert REASONS.keys() <= COMPILED.keys()


@pytest.mark.parametrize("name", [name for name in COMPILED if name not in REASONS])
def test_patterns_are_linear(name: str) -> None:
    """Row 41: no pattern takes more than its share of work for a long text that nearly fits."""
    module, _, variable = name.rpartition(".")
    source = inspect.getsource(importlib.import_module(module)) if module in sys.modules else ""
    used = set(re.findall(rf"\b{variable}\.(\w+)\(", source))
    assert is_linear(COMPILED[name], used or {"search", "fullmatch"})


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|aa)+$", r"a*b", r"a*a*$", r'"[^"\\]*(?:\\.[^"\\]*)*"', r"\s+$"])
def test_patterns_that_are_not_linear(pattern: str) -> None:
    """A pattern that looks at the same characters again and again is found."""
    assert not is_linear(re.compile(pattern), {"search"})


@pytest.mark.parametrize("pattern", [r"(?:a|ab)*c?", r"^a.b$", r"(?<=a)b|c(?!d)", r"[^a-c]\d+?x*", r"a{2,3}b{0,1}"])
def test_the_counting_matcher(pattern: str) -> None:
    """What counts the tries finds what ``re`` finds."""
    chance, matcher = random.Random(pattern), Backtracking(re.compile(pattern))
    for _ in range(200):
        text = "".join(chance.choice("abcd1\nx") for _ in range(8))
        found = matcher.on(text)
        assert found.spans() == [match.span() for match in re.finditer(pattern, text)]
        whole = re.fullmatch(pattern, text)
        assert found.fullmatch() == (whole.end() if whole else None)


def test_bodies_are_checked_by_an_engine_that_does_not_backtrack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 41: patterns of bodies are matched by automata, whose time is linear in the text whatever the pattern is."""
    asked, compiled = [], jsonschema_rs.Draft4Validator

    def compile_schema(schema: Any, **options: Any) -> jsonschema_rs.Draft4Validator:
        asked.append(options.get("pattern_options"))
        return compiled(schema, **options)

    monkeypatch.setattr(schema_checks.jsonschema_rs, "Draft4Validator", compile_schema)
    for operation in spec.operations():
        request_schemas.compile_body.__wrapped__(operation)
    assert {type(options) for options in asked} == {jsonschema_rs.RegexOptions}
    with pytest.raises(jsonschema_rs.ValidationError):
        compile_schema({"pattern": r"(a)\1"}, pattern_options=jsonschema_rs.RegexOptions())


@pytest.mark.parametrize("piece", [
    "-0,", "1.,", '"-0",', "[],", "{},", '"\\ud800",', '"\\\\",', "-", '"a', "1" * 40 + ",", "\\ud8", "[", '{"a":',
])  # fmt: skip
def test_bodies_are_read_in_linear_time(piece: str) -> None:
    """Row 41: a longer body takes no more than its share of work, whatever it repeats, whether JSON or not."""

    def cost(length: int) -> int:
        text = "[" + piece * (length // len(piece)) + "-0]"
        return instructions(lambda: read(text))

    def read(text: str) -> None:
        with suppress(BadRequest):
            body.decode(text.encode())

    cost(SHORT)
    assert cost(LONGER * 1000) <= max(1.2 * LONGER * cost(1000), 1000)


@pytest.mark.parametrize("program", [
    '("a" * 5000 + "!") | test("^(a+)+$")', '("a" * 5000 + "!") | test("^(a|aa)+$")',
    '("x" * 5000) | sub("(x+x+)+y"; "")', '[("a" * 5000 + "!") | scan("(.*a){12}!b")] | length',
    '("a" * 5000) | test("(a?){5000}a{5000}")',
])  # fmt: skip
def test_patterns_of_filters_are_cut_off(service: LocalService, program: str) -> None:
    """Row 41: a filter with a pattern that backtracks is answered or stopped at its limits, and others go on."""
    with httpx.Client(base_url=f"{service.south}/api/wfx/v1", trust_env=False, timeout=60) as client:
        answer = client.get("/jobs", headers={"X-Response-Filter": program})
        assert answer.status_code in (200, 422)
        assert client.get("/jobs", headers={"X-Response-Filter": ".content | type"}).text == '"array"\n'
