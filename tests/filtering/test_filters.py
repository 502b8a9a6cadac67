from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
import uvloop

from tests.filtering.processes import workers
from wfx.filtering import FilterLimit, Filters, FilterSyntaxError, FilterUnavailable, Limit
from wfx.filtering.filters import IN_PROCESS, MAX_DOCUMENT, MAX_PROGRAM, PATIENCE
from wfx.filtering.pool import FilterAnswer
from wfx.filtering.protocol import CHECK, FAILING, RAN, RUN, VALID
from wfx.sandbox.frames import Frame


@pytest.fixture
async def filters() -> AsyncIterator[Filters]:
    """Filters of this test alone, on its loop, with time enough for a busy machine."""
    async with Filters(deadline=30) as filters:
        yield filters


async def a_busy_worker() -> None:
    """Wait until a worker has begun to compute."""
    async with asyncio.timeout(60):
        while sum(worker.cpu_times().user for worker in workers()) < 0.2:  # noqa: ASYNC110  # measured: nobody tells that it began
            await asyncio.sleep(0.01)


async def test_what_devices_send_starts_no_process(filters: Filters) -> None:
    """The filter that comes with every status update is run without any worker."""
    program = await filters.prepare("del(.context)")
    assert await filters.apply(program, b'{"context":{"a":1},"state":"DONE"}') == b'{"state":"DONE"}\n'
    assert workers() == []


async def test_a_text_that_is_no_program_is_refused_before_anything_runs(filters: Filters) -> None:
    """Preparing refuses a syntax error, in one line, and again when it is sent again."""
    for _ in range(2):
        with pytest.raises(FilterSyntaxError, match=r"^The response filter is not a jq program: syntax error"):
            await filters.prepare(".a | | .b")


@pytest.mark.parametrize("text", [".\0", ".\0 | error", '"\ud800" | length'])
async def test_characters_that_no_program_has_are_refused(filters: Filters, text: str) -> None:
    """A NUL, behind which jq would not look, and half a surrogate pair are syntax errors."""
    with pytest.raises(FilterSyntaxError, match="is not a jq program"):
        await filters.prepare(text)


async def test_an_unknown_name_is_no_syntax_error(filters: Filters) -> None:
    """A program with an unknown function passes, and gives {} (rest-api section 11)."""
    program = await filters.prepare("1, nosuch, 2")
    assert await filters.apply(program, b"null") == b"{}\n"


@pytest.mark.parametrize("text", ["." * (MAX_PROGRAM + 1), '"' + "x" * 1_000_000 + '"', "[" * 1_000_000])
async def test_a_program_that_is_too_long_is_refused_unread(filters: Filters, text: str) -> None:
    """A program beyond the limit is refused by its length alone; the message names the limit."""
    with pytest.raises(FilterLimit, match="longer than 8,192 characters") as caught:
        await filters.prepare(text)
    assert (caught.value.which, caught.value.limit) == (Limit.PROGRAM, MAX_PROGRAM)
    assert workers() == []


async def test_the_longest_program_runs(filters: Filters) -> None:
    """A program of exactly the longest length is run."""
    program = await filters.prepare("." + " " * (MAX_PROGRAM - 2) + "#")
    assert await filters.apply(program, b"1") == b"1\n"


async def test_a_document_that_is_too_large_is_refused_without_a_worker(filters: Filters) -> None:
    """Beyond the limit a document is refused by its size alone, before the operation where that is known by then."""
    program = await filters.prepare(".id", size=MAX_DOCUMENT)
    for refused in (
        filters.apply(program, b'"' + b"x" * (MAX_DOCUMENT - 1) + b'"'),
        filters.prepare(".id", size=MAX_DOCUMENT + 1),
        filters.prepare("1 + 1", size=MAX_DOCUMENT + 1),
    ):
        with pytest.raises(FilterLimit, match=r"too large for .* than 8,388,608 bytes") as caught:
            await refused
        assert (caught.value.which, caught.value.limit) == (Limit.DOCUMENT, MAX_DOCUMENT)
    assert workers() == []


async def test_the_largest_document_is_run(filters: Filters) -> None:
    """A document of exactly the largest size is run."""
    document = b'"' + b"x" * (MAX_DOCUMENT - 2) + b'"'
    assert await filters.apply(await filters.prepare("length"), document) == b"%d\n" % (MAX_DOCUMENT - 2)


async def test_a_large_document_goes_to_a_worker_and_comes_back_the_same(filters: Filters) -> None:
    """A finite program over a document too large for this process gives what it gives over a small one."""
    program = await filters.prepare(".[] | .a")
    small, many = b'{"a":"x"}', IN_PROCESS
    assert await filters.apply(program, b"[" + small + b"]") == b'"x"\n'
    assert workers() == []
    assert await filters.apply(program, b"[" + b",".join([small] * many) + b"]") == b'"x"\n' * many
    assert len(workers()) == 1


class AskedPool:
    """Stands in the place of the workers: notes what is asked of them, and answers after a wait as told."""

    def __init__(self, waited: float = 0.0) -> None:
        """Say that each worker was free after so many seconds."""
        self._waited = waited
        self.asked: list[tuple[bytes, bytes, str, float]] = []
        self.verdict = VALID

    async def ask(
        self, request: bytes, _program: bytes, document: bytes = b"", *, client: str, patience: float
    ) -> FilterAnswer:
        """Note and answer."""
        self.asked.append((request, document, client, patience))
        return FilterAnswer(Frame(self.verdict if request == CHECK else RAN, body=b"1\n"), self._waited)

    async def close(self) -> None:
        """There is nothing to end."""


async def test_a_program_that_fails_in_any_case_is_not_run(filters: Filters) -> None:
    """What is known to fail whatever the document gives {} without a worker."""
    filters._pool = pool = AskedPool()  # type: ignore[assignment]  # it has what is asked of it
    pool.verdict = FAILING
    assert await filters.apply(await filters.prepare("nosuchname"), b"null") == b"{}\n"
    assert len(pool.asked) == 1


async def test_some_programs_are_known(filters: Filters) -> None:
    """A program is compiled once, as long as it is among the 256 that were sent last."""
    filters._pool = pool = AskedPool()  # type: ignore[assignment]  # it has what is asked of it
    programs = [f"{number} + 1" for number in range(256)]
    for program in [*programs, *programs]:
        await filters.prepare(program)
    assert len(pool.asked) == 256
    await filters.prepare("one + more")
    for program in programs[1:]:
        await filters.prepare(program)
    assert len(pool.asked) == 257
    await filters.prepare(programs[0])
    assert len(pool.asked) == 258
    await filters.prepare("one + more")
    assert len(pool.asked) == 259


@pytest.mark.parametrize(("text", "unit"), [(".", 2), (".a", 2), ("[., .] | [., .]", 25), (".[] | .b", 4)])
async def test_a_finite_program_beyond_the_bound_asks_a_worker(filters: Filters, text: str, unit: int) -> None:
    """Not the document's size alone decides, but how much the program can make of it."""
    program = await filters.prepare(text)
    assert program.finite is not None
    assert program.finite.growth == unit
    filters._pool = pool = AskedPool()  # type: ignore[assignment]  # it has what is asked of it
    largest = (IN_PROCESS - 1) // unit
    document = b"{" + b" " * (largest - 2) + b"}"
    assert await filters.apply(program, document) != b"1\n"
    assert pool.asked == []
    assert await filters.apply(program, document + b" ", "10.0.0.1") == b"1\n"
    assert pool.asked == [(RUN, document + b" ", "10.0.0.1", PATIENCE)]


@pytest.mark.parametrize(("waited", "left"), [(0.0, PATIENCE), (0.3, PATIENCE - 0.3), (PATIENCE, 0.0), (2.0, 0.0)])
async def test_preparing_and_applying_share_one_patience(filters: Filters, waited: float, left: float) -> None:
    """What a request waited for a worker before the operation, it does not wait after it."""
    filters._pool = pool = AskedPool(waited)  # type: ignore[assignment]  # it has what is asked of it
    program = await filters.prepare("1 + 1", "10.0.0.1")
    assert await filters.apply(program, b"null", "10.0.0.1") == b"1\n"
    assert pool.asked == [(CHECK, b"", "10.0.0.1", PATIENCE), (RUN, b"null", "10.0.0.1", left)]
    assert await filters.apply(await filters.prepare("1 + 1"), b"null") == b"1\n"
    assert pool.asked[2:] == [(RUN, b"null", "", PATIENCE)]


@pytest.mark.parametrize("levels", [100, 300, 1_500, 5_000])
async def test_depth_is_no_obstacle(filters: Filters, levels: int) -> None:
    """A document is passed on at whatever depth, here as well as by a worker."""
    document = b"[" * levels + b"]" * levels
    program = await filters.prepare(".")
    assert await filters.apply(program, document) == document + b"\n"
    assert await filters.apply(replace(program, finite=None), document) == document + b"\n"


async def test_values_deeper_than_jq_goes_fail(filters: Filters) -> None:
    """A program may nest values only so deep; beyond, the output fails."""
    program = await filters.prepare("reduce range(20000) as $i (null; [.])")
    assert await filters.apply(program, b"null") == b"{}\n"


async def test_a_module_directive_fails(filters: Filters) -> None:
    """There are no modules: a program that says it is one gives {}."""
    assert await filters.apply(await filters.prepare("module {}; 1"), b"null") == b"{}\n"


async def test_a_worker_is_reused(filters: Filters) -> None:
    """One program after the other is served by one process."""
    for number in range(5):
        assert await filters.apply(await filters.prepare(f"{number} + 1"), b"null") == b"%d\n" % (number + 1)
    assert len(workers()) == 1


async def test_programs_run_side_by_side(filters: Filters) -> None:
    """Two programs that arrive together are served by two processes, and no third one is ever started."""
    program = await filters.prepare("[range(1000)] | length")
    assert await asyncio.gather(*(filters.apply(program, b"null") for _ in range(2))) == [b"1000\n"] * 2
    assert len(workers()) == 2
    some = await asyncio.gather(*(filters.apply(program, b"null") for _ in range(20)), return_exceptions=True)
    assert all(result == b"1000\n" or isinstance(result, FilterUnavailable) for result in some)
    assert len(workers()) == 2


async def test_results_do_not_mix(filters: Filters) -> None:
    """Each of many callers gets what its own program gives for its own document."""

    async def ask(number: int) -> bytes | FilterUnavailable:
        try:
            return await filters.apply(await filters.prepare(f". + {number}"), b"%d" % number)
        except FilterUnavailable as exc:
            return exc

    results = await asyncio.gather(*(ask(number) for number in range(40)))
    answered = {number: result for number, result in enumerate(results) if isinstance(result, bytes)}
    assert answered
    assert all(result == b"%d\n" % (2 * number) for number, result in answered.items())


async def test_a_killed_worker_is_replaced(filters: Filters) -> None:
    """When a worker is killed from outside, the next program gets another."""
    program = await filters.prepare("1 + 1")
    assert await filters.apply(program, b"null") == b"2\n"
    workers()[0].kill()
    async with asyncio.timeout(60):
        while filters._pool._workers._idle[0].running:  # noqa: ASYNC110  # measured: nobody tells that it began
            await asyncio.sleep(0.01)
    assert await filters.apply(program, b"null") == b"2\n"


async def test_a_caller_that_goes_away_takes_its_program_along(filters: Filters) -> None:
    """A program whose caller has gone is stopped, not run to its end."""
    endless = await filters.prepare("last(range(1e12))")
    task = asyncio.create_task(filters.apply(endless, b"null"))
    await a_busy_worker()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert workers() == []


async def test_closing_refuses_what_runs_and_what_waits() -> None:
    """At the end every process is gone, and those who still wait for a result are told that the server stops."""
    filters = Filters(deadline=30, workers=1)
    endless = await filters.prepare("last(range(1e12))")
    tasks = [asyncio.create_task(filters.apply(endless, b"null")) for _ in range(3)]
    await a_busy_worker()
    await filters.close()
    assert workers() == []
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(outcome, FilterUnavailable)
    with pytest.raises(FilterUnavailable, match="The server is stopping"):
        await filters.apply(endless, b"null")
    await filters.close()


async def test_closing_while_a_worker_starts_leaves_none_behind() -> None:
    """A worker that was just being started when the server stops does not stay."""
    for turns in range(0, 40, 4):
        filters = Filters(deadline=30)
        task = asyncio.create_task(filters.prepare("last(range(1e12))"))
        for _ in range(turns):
            await asyncio.sleep(0)
        await filters.close()
        with contextlib.suppress(FilterUnavailable):
            await task
        assert workers() == []


@pytest.mark.parametrize(("interpreter", "reason"), [("/bin/false", "status 1"), ("/no/such", "No such file")])
async def test_a_worker_that_does_not_start_makes_the_filter_unavailable(
    filters: Filters,
    monkeypatch: pytest.MonkeyPatch,
    interpreter: str,
    reason: str,
) -> None:
    """A worker that cannot start is no fault of the program; once it can, the same program runs."""
    with monkeypatch.context() as patch:
        patch.setattr("sys.executable", interpreter)
        with pytest.raises(FilterUnavailable, match=f"did not start .*{reason}"):
            await filters.prepare("1 + 1")
    assert workers() == []
    assert await filters.apply(await filters.prepare("1 + 1"), b"null") == b"2\n"


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_either_event_loop_will_do(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Programs run, trip limits and leave no process behind on the loops of both HTTP engines."""

    async def use() -> None:
        async with Filters(deadline=3) as filters:  # time enough for a worker to start on a busy machine
            for _ in range(2):
                assert await filters.apply(await filters.prepare("[.[] | . + 1]"), b"[1,2]") == b"[2,3]\n"
                with pytest.raises(FilterLimit):
                    await filters.apply(await filters.prepare("last(range(1e12))"), b"null")
                with pytest.raises(FilterLimit):
                    await filters.apply(await filters.prepare('"a" * 1000000000'), b"null")
        assert workers() == []

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(use())
