from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.filtering.processes import workers
from wfx.filtering import FilterError, FilterLimit, Filters, FilterUnavailable, Limit

_MIB = 1024 * 1024
_ENDLESS = "last(range(1e12))"


@pytest.fixture
async def filters() -> AsyncIterator[Filters]:
    """Filters with the limits as they are shipped, but for less patience with endless programs."""
    async with Filters(deadline=0.5) as filters:
        yield filters
    assert workers() == []


async def outcome(filters: Filters, text: str, document: bytes = b"null") -> bytes | FilterError:
    """Give the output or the refusal; anything else is an error of ours, and anything slow a hang."""
    try:
        async with asyncio.timeout(30):
            return await filters.apply(await filters.prepare(text), document)
    except FilterError as exc:
        return exc


def limit_of(result: bytes | FilterError) -> Limit:
    """Give the limit that was tripped."""
    assert isinstance(result, FilterLimit), result
    return result.which


@pytest.mark.parametrize(
    "text",
    [
        _ENDLESS,
        "last(repeat(1))",
        "def f: f; f",
        "def f: . | f | f; f",
        "[range(1e9)] | length",
        "1, error, last(range(1e12))",
        "1, (label $x | last(repeat(1)))",
        "[recurse(1)]",
        "def f: try f catch f; f",
        "try last(range(1e12)) catch 1",
        ". as $x | last(range(1e12))",
        "first(range(1e12) | select(. < 0))",
        "range(1e12) | empty",
        "range(1e12) | nan",
        "reduce repeat(1) as $x (0; $x)",
        "def f: def g: f; g; f",
    ],
)
async def test_an_endless_program_is_stopped(filters: Filters, text: str) -> None:
    """A program without end is ended by the clock, or by the memory or output it has used up until then."""
    assert limit_of(await outcome(filters, text)) in {Limit.TIME, Limit.MEMORY, Limit.OUTPUT}


async def test_the_message_names_the_time(filters: Filters) -> None:
    """The refusal says that it was the time, and how much there is."""
    result = await outcome(filters, _ENDLESS)
    assert str(result) == "The response filter was stopped: it ran for more than 0.5 s"


@pytest.mark.parametrize(
    "text",
    [
        '"a" * 1000000000 | length',
        "[range(1e9)]",
        '"a" * 100000000 | [., . + "b", . + "c"] | length',
        "reduce range(1e9) as $i ([]; . + [[.]]) | length",
        '"x" | until(false; . + .)',
        "def f: [f, f]; f",
    ],
)
async def test_a_hungry_program_is_stopped_by_the_memory_it_may_have(text: str) -> None:
    """Memory is bounded for each program, however much time it has."""
    async with Filters(deadline=60, memory=64 * _MIB) as filters:
        result = await outcome(filters, text)
    assert limit_of(result) is Limit.MEMORY
    assert str(result) == "The response filter was stopped: it needed more than 67,108,864 bytes of memory"


@pytest.mark.parametrize(
    "text",
    [
        'repeat("0123456789")',
        'repeat("0123456789" * 1000)',
        "range(1e12)",
        '"a" * 200000',
        "[range(40000)]",
        "repeat(.)",
    ],
)
async def test_a_flood_is_stopped_by_the_output_it_may_give(text: str) -> None:
    """Output is bounded, in many small pieces as well as in one large one."""
    async with Filters(deadline=60, output=100_000) as filters:
        result = await outcome(filters, text)
    assert limit_of(result) is Limit.OUTPUT
    assert str(result) == "The response filter was stopped: it produced more than 100,000 bytes"


async def test_the_output_may_be_as_long_as_the_limit() -> None:
    """An output of exactly the limit is given, one byte more is not."""
    async with Filters(deadline=60, output=100_000) as filters:
        assert await outcome(filters, '"a" * 99997') == b'"' + b"a" * 99_997 + b'"\n'
        assert limit_of(await outcome(filters, '"a" * 99998')) is Limit.OUTPUT


async def test_ten_at_once_are_all_answered_while_others_are_served(filters: Filters) -> None:
    """Endless programs get an answer each, and meanwhile the loop turns and finite programs are answered."""
    bombs = [asyncio.create_task(outcome(filters, _ENDLESS)) for _ in range(10)]
    turns = 0
    while not all(bomb.done() for bomb in bombs):
        program = await filters.prepare("del(.context)")
        assert await filters.apply(program, b'{"context":1}') == b"{}\n"
        await asyncio.sleep(0.005)
        turns += 1
    results = [bomb.result() for bomb in bombs]
    assert any(isinstance(result, FilterLimit) for result in results)
    assert all(isinstance(result, FilterLimit | FilterUnavailable) for result in results)
    assert turns > 2
    assert len(workers()) <= 2


async def test_a_crowd_is_turned_away_at_once(filters: Filters) -> None:
    """No more programs wait than the queue holds; those beyond it are told so without waiting."""
    program = await filters.prepare(_ENDLESS)
    crowd = [asyncio.create_task(filters.apply(program, b"null")) for _ in range(100)]
    done, _ = await asyncio.wait(crowd, return_when=asyncio.FIRST_COMPLETED)
    assert any("are waiting" in str(task.exception()) for task in done)
    await asyncio.wait(crowd)
    assert all(isinstance(task.exception(), FilterLimit | FilterUnavailable) for task in crowd)


async def test_after_the_bombs_everything_is_as_before() -> None:
    """After each sort of bomb the next program runs, and in the end no process is left."""
    async with Filters(deadline=30) as filters:
        for text in ('"a" * 1000000000', 'repeat("a" * 1000000)', "def f: [f, f]; f", '"a" * 2000000'):
            await outcome(filters, text)
            assert await outcome(filters, "1 + 1") == b"2\n"
    assert workers() == []
