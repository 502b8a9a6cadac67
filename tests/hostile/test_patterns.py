"""No pattern lets a short text cost much time."""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import jsonschema_rs
import orjson
import pytest

from wfx.api import body, spec
from wfx.api.refusal import BadRequest
from wfx.api.validate import compile_body
from wfx.demo.local import LocalService

SHORT = 50_000
PIECES = ("a", "0", "-", "0-", "a-", ".", "now", "é", "\n", " ")
TAILS = ("", "\x00", "!", "\n")
LONGER = 4
MOST = 8.0
"""How much more processor time so much longer a text may cost; a quadratic pattern needs sixteen times as much."""


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


PATTERNS = sorted({*patterns(spec.document()), *patterns(orjson.loads(spec.find("workflow.schema.json").read_bytes()))})


def cost(work: Callable[[], object], times: int = 5) -> float:
    """Processor seconds that the work takes, at best; without the collector, which would look through all the tests."""
    taken = []
    gc.disable()
    try:
        for _ in range(times):
            started = time.thread_time()
            work()
            taken.append(time.thread_time() - started)
    finally:
        gc.enable()
    return min(taken)


def assert_linear(work: Callable[[str], object], short: str, long: str) -> None:
    """Longer texts must not cost much more than their share of time; what costs next to nothing is not compared."""
    if (least := cost(lambda: work(short))) > 0.001:
        assert cost(lambda: work(long)) < MOST * least, (short[:20], short[-5:])


def test_there_are_patterns() -> None:
    """The document and the schema of workflow files restrict names, identities and positions by patterns."""
    assert len(PATTERNS) >= 3


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_are_linear(pattern: str) -> None:
    """Row 41: no pattern of the document needs more than its share of time for a long text that nearly fits."""
    schema = {"type": "string", "pattern": pattern}
    checker = jsonschema_rs.Draft4Validator(schema, pattern_options=jsonschema_rs.RegexOptions())
    compiled = re.compile(pattern)
    for piece in PIECES:
        for tail in TAILS:
            short = piece * (SHORT // len(piece)) + tail
            long = piece * (LONGER * SHORT // len(piece)) + tail
            assert_linear(checker.is_valid, short, long)
            assert_linear(compiled.search, short, long)


@pytest.mark.parametrize("piece", [
    "-0,", "1.,", '"-0",', "[],", "{},", '"\\ud800",', '"\\\\",', "-", '"a', "1" * 40 + ",", "\\ud8", "[", '{"a":',
])  # fmt: skip
def test_bodies_are_read_in_linear_time(piece: str) -> None:
    """Row 41: a longer body takes no more than its share of time, whatever it repeats, whether JSON or not."""

    def read(text: str) -> None:
        with suppress(BadRequest):
            body.parse(text.encode(), [(b"content-type", b"application/json")])

    short = "[" + piece * (SHORT // len(piece)) + "-0]"
    assert_linear(read, short, "[" + piece * (LONGER * SHORT // len(piece)) + "-0]")


@pytest.mark.parametrize("program", [
    '("a" * 5000 + "!") | test("^(a+)+$")', '("a" * 5000 + "!") | test("^(a|aa)+$")',
    '("x" * 5000) | sub("(x+x+)+y"; "")', '[("a" * 5000 + "!") | scan("(.*a){12}!b")] | length',
    '("a" * 5000) | test("(a?){5000}a{5000}")',
])  # fmt: skip
def test_patterns_of_filters_are_cut_off(service: LocalService, program: str) -> None:
    """Row 41: a filter with a pattern that backtracks is answered or stopped at its limits, and others go on."""
    with httpx.Client(base_url=f"{service.south}/api/wfx/v1", trust_env=False, timeout=30) as client:
        answer = client.get("/jobs", headers={"X-Response-Filter": program})
        assert answer.status_code in (200, 422)
        assert client.get("/jobs", headers={"X-Response-Filter": ".content | type"}).text == '"array"\n'


def test_every_body_check_is_linear() -> None:
    """Row 41: the check of a status takes time in proportion to its longest text."""
    checker = compile_body("PutJobsIdStatus")
    assert checker is not None
    for piece in PIECES:
        assert_linear(lambda text: checker.is_valid({"state": text}), piece * SHORT, piece * LONGER * SHORT)
