"""Which tests concern which modules: a mutant is tried on those of its module first, then on the others of its area."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_STORE = ("tests/store", "tests/api/test_jobs.py", "tests/api/test_queries.py", "tests/maintenance")
_EVENTS = ("tests/events", "tests/acceptance/streams/test_wire.py")
_HOSTILE = "tests/acceptance/hostile"
_STREAMS = "tests/acceptance/streams"
_PLUGIN = ("tests/plugin", "tests/acceptance/plugins")
_FILTERING = ("tests/filtering", "tests/acceptance/filters")
_API = (
    "tests/api",
    "tests/spec",
    "tests/acceptance/hostile/test_content.py",
    "tests/acceptance/hostile/test_members.py",
)

TESTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("wfx/domain/*.py", ("tests/domain", "tests/acceptance/hostile/test_workflows.py", "tests/api/test_jobs.py")),
    (
        "wfx/store/reference_records.py",
        ("tests/store/sqlite/test_reference.py", "tests/store/postgres/test_reference.py"),
    ),
    ("wfx/expressions/*.py", ("tests/expressions", "tests/rules")),
    ("wfx/tasks/*.py", ("tests/tasks",)),
    ("wfx/service/tasks.py", ("tests/tasks/test_service.py",)),
    ("wfx/store/redis/*.py", ("tests/store/redis",)),
    ("wfx/protection/*.py", ("tests/protection",)),
    ("wfx/store/sqlite/sealed_*.py", ("tests/protection", *_STORE)),
    ("wfx/store/sqlite/key_record.py", ("tests/protection",)),
    ("wfx/store/sqlite/rekeying.py", ("tests/protection",)),
    ("wfx/store/postgres/sealed_*.py", ("tests/protection", *_STORE)),
    ("wfx/store/postgres/enrolment.py", ("tests/protection",)),
    ("wfx/store/postgres/rekeying.py", ("tests/protection",)),
    ("wfx/store/postgres/sweeping.py", ("tests/protection",)),
    ("wfx/store/sealed_dump.py", ("tests/protection",)),
    ("wfx/store/rekeyed.py", ("tests/protection",)),
    ("wfx/store/readable_jobs.py", ("tests/protection",)),
    ("wfx/limits/*.py", ("tests/limits", "tests/acceptance/test_limits.py")),
    ("wfx/reactions/*.py", ("tests/reactions",)),
    ("wfx/rules/*.py", ("tests/rules", "tests/wfxctl/test_rule_commands.py")),
    ("wfx/store/prefixes.py", ("tests/store/postgres/test_prefixes.py", "tests/store/test_devices.py")),
    ("wfx/store/upkeep.py", ("tests/events/test_retention.py", "tests/service/test_job_retention.py")),
    ("wfx/store/new_files.py", ("tests/maintenance/test_commands.py", *_STORE)),
    ("wfx/store/postgres/reference_rows.py", ("tests/store/postgres/test_reference.py",)),
    ("wfx/store/sqlite/reference*.py", ("tests/store/sqlite/test_reference.py", *_STORE)),
    ("wfx/store/sqlite/dsn.py", ("tests/store/sqlite/test_dsn.py", *_STORE)),
    ("wfx/store/sqlite/bitmaps.py", ("tests/store/sqlite/test_bitmaps.py", *_STORE)),
    ("wfx/store/sqlite/job_cache.py", ("tests/store/sqlite/test_job_cache.py", *_STORE)),
    ("wfx/store/sqlite/checking.py", ("tests/store/sqlite/test_checking.py", *_STORE)),
    ("wfx/store/sqlite/check_jobs.py", ("tests/store/sqlite/test_checking.py", *_STORE)),
    ("wfx/store/job_filters.py", ("tests/spec/test_job_filters.py", *_STORE)),
    ("wfx/store/*.py", _STORE),
    ("wfx/events/*.py", _EVENTS),
    ("wfx/plugin/frame.py", ("tests/plugin/test_frame.py", *_PLUGIN)),
    ("wfx/plugin/generated/*", ()),
    ("wfx/plugin/*.py", _PLUGIN),
    ("wfx/filtering/finite.py", ("tests/filtering/test_finite.py", *_FILTERING)),
    ("wfx/filtering/grammar.py", ("tests/filtering/test_grammar.py", *_FILTERING)),
    ("wfx/filtering/rewrite.py", ("tests/filtering/test_rewrite.py", *_FILTERING)),
    ("wfx/filtering/*.py", _FILTERING),
    (
        "wfx/api/sse.py",
        ("tests/events/test_wire.py", "tests/events/test_connections.py", f"{_STREAMS}/test_wire.py"),
    ),
    ("wfx/jq_language/*.py", ("tests/jq_language", "tests/filtering/test_numbers.py", *_FILTERING)),
    (
        "wfx/sandbox/fair_queue.py",
        ("tests/sandbox/test_fair_queue.py", "tests/sandbox", f"{_HOSTILE}/test_large_body_shares.py"),
    ),
    ("wfx/scripts/*.py", ("tests/scripts",)),
    ("wfx/sandbox/*.py", ("tests/sandbox/test_pool.py", "tests/sandbox", f"{_HOSTILE}/test_large_body_shares.py")),
    ("wfx/api/large_bodies.py", ("tests/api/test_inputs.py", f"{_HOSTILE}/test_large_body_shares.py", *_API)),
    ("wfx/api/body_worker.py", ("tests/api/test_inputs.py", f"{_HOSTILE}/test_large_body_shares.py", *_API)),
    ("wfx/api/answer_memory.py", ("tests/api/test_answer_memory.py", f"{_HOSTILE}/test_large_answers.py", *_API)),
    ("wfx/api/large_answers.py", ("tests/acceptance/hostile/test_large_answers.py", *_API)),
    ("wfx/api/endpoint.py", ("tests/acceptance/filters", *_API)),
    ("wfx/api/*.py", _API),
)
"""The first pattern that fits counts; what has no tests is not mutated."""
_SHARED = {tests for group in (_STORE, _EVENTS, _API) for tests in group}
AREAS = (
    "domain",
    "expressions",
    "rules",
    "limits",
    "store",
    "events",
    "plugin",
    "filtering",
    "jq_language",
    "sandbox",
    "scripts",
    "api",
)


def tests_of(module: str) -> tuple[str, ...]:
    """The tests to try the mutants of a module on, in this order; each once."""
    found = next((tests for pattern, tests in TESTS if fnmatch(module, pattern)), ())
    return tuple(dict.fromkeys(found))


@cache
def files_of(module: str) -> tuple[str, ...]:
    """The files with the tests of a module, those that name it first, and of these those that are called like it."""
    paths = (ROOT / tests for tests in tests_of(module))
    found = (sorted(path.rglob("test_*.py")) if path.is_dir() else [path] for path in paths)
    files = dict.fromkeys(str(file.relative_to(ROOT)) for files in found for file in files)
    return tuple(sorted(files, key=lambda file: (file not in own_of(module), Path(module).stem not in file)))


@cache
def own_of(module: str) -> frozenset[str]:
    """The files of tests that are listed for this module alone, or that import it."""
    package, _, name = module.removesuffix(".py").replace("/", ".").rpartition(".")
    naming = re.compile(rf"\b{package}\.{name}\b|\bfrom {package} import .*\b{name}\b")
    listed = {tests for tests in tests_of(module) if tests.endswith(".py") and tests not in _SHARED}
    within = (file for tests in tests_of(module) for file in (ROOT / tests).rglob("test_*.py"))
    naming_it = {str(file.relative_to(ROOT)) for file in within if naming.search(file.read_text(encoding="utf-8"))}
    return frozenset(listed | naming_it)


def modules_of(area: str) -> Iterator[str]:
    """The modules of an area that are mutated."""
    for path in sorted((ROOT / "wfx" / area).rglob("*.py")):
        module = str(path.relative_to(ROOT))
        if path.name != "__init__.py" and tests_of(module):
            yield module
