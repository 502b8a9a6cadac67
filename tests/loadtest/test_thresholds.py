from __future__ import annotations

import asyncio
from pathlib import Path
from xml.etree import ElementTree as ET

import orjson
import pytest
from command_lines import runner

from tests.loadtest.stub import Stub
from tests.loadtest.test_cli import _at, _run
from wfx_loadtest import options, thresholds
from wfx_loadtest.cli import PROGRAM as LOADTEST
from wfx_loadtest.duration import MILLISECOND, SECOND
from wfx_loadtest.facts import Fact
from wfx_loadtest.metrics import Metrics, Outcome


def _metrics(failures: int = 0) -> Metrics:
    """A thousand requests within ten seconds, which took 1 ms to 1000 ms; the last so many failed."""
    metrics = Metrics(0, 10 * SECOND)
    for number in range(1000):
        code = 500 if number >= 1000 - failures else 200
        metrics.add(Outcome("Read Jobs", number * 10 * MILLISECOND, (number + 1) * MILLISECOND, code))
    return metrics


def _sentence(word: str, metrics: Metrics, facts: list[Fact] | None = None, *, floor: bool = False) -> tuple[bool, str]:
    [verdict] = thresholds.check(thresholds.parse([word], floor=floor), metrics, facts or [])
    return verdict.passed, verdict.sentence


@pytest.mark.parametrize(("word", "passed", "sentence"), [
    ("p50=1s", True, "p50 is 500.171ms, within 1s"),
    ("p50=500ms", False, "p50 is 500.171ms, above 500ms"),
    ("p99.9=998ms", False, "p99.9 is 999.293ms, above 998ms"),
    ("max=1s", True, "max is 1s, within 1s"),
    ("max=999999us", False, "max is 1s, above 999999us"),
    ("mean=PT0.5S", False, "mean is 500.5ms, above PT0.5S"),
    ("errors=0", False, "errors is 3, above 0"),
    ("errors=3", True, "errors is 3, within 3"),
    ("error-rate=0.3%", True, "error-rate is 0.3%, within 0.3%"),
    ("error-rate=0.29%", False, "error-rate is 0.3%, above 0.29%"),
])  # fmt: skip
def test_a_figure_above_its_limit_fails(word: str, passed: bool, sentence: str) -> None:
    """A figure that equals the limit of --fail-above passes, one above it fails, and the sentence has both."""
    assert _sentence(word, _metrics(failures=3)) == (passed, sentence)


@pytest.mark.parametrize(("word", "passed", "sentence"), [
    ("rate=100.1", True, "rate is 100.10, not below 100.1"),
    ("rate=101", False, "rate is 100.10, below 101"),
    ("throughput=90", True, "throughput is 90.99, not below 90"),
    ("throughput=91", False, "throughput is 90.99, below 91"),
])  # fmt: skip
def test_a_figure_below_its_floor_fails(word: str, passed: bool, sentence: str) -> None:
    """A figure that equals the limit of --fail-below passes, and one below it fails."""
    assert _sentence(word, _metrics(), floor=True) == (passed, sentence)


def test_a_difference_that_rounding_would_hide_is_shown() -> None:
    """A latency that is above the limit by less than its rounding is written with all its digits."""
    metrics = Metrics(0, SECOND)
    metrics.add(Outcome("Read Jobs", 0, 50_000_100, 200))
    assert _sentence("max=50ms", metrics) == (False, "max is 50.0001ms, above 50ms")


def test_nothing_measured_passes_nothing() -> None:
    """Without requests, or without a rate that held, every threshold fails and says why."""
    assert _sentence("errors=0", Metrics(0, SECOND)) == (
        False, "errors: no requests were made, so it cannot be compared with 0",
    )  # fmt: skip
    none = [Fact("Highest rate", ("req/s", "p99 bound"), ("none", "20ms"))]
    assert _sentence("rate=1", _metrics(), none, floor=True) == (
        False, "rate: no rate held, so it cannot be compared with 1",
    )  # fmt: skip


def test_missing_events_are_those_of_the_report() -> None:
    """The threshold ``missing-events`` is compared with the events that did not reach a subscriber."""
    lost = [Fact("Deliveries", ("expected", "missing"), ("10", "2"))]
    assert _sentence("missing-events=1", _metrics(), lost) == (False, "missing-events is 2, above 1")
    assert _sentence("missing-events=2", _metrics(), lost) == (True, "missing-events is 2, within 2")


@pytest.mark.parametrize(("flag", "word", "reason"), [
    ("above", "p99", '"p99" must be NAME=LIMIT, such as p99=50ms'),
    ("above", "p99=", '"p99=" must be NAME=LIMIT, such as p99=50ms'),
    ("below", "rate", '"rate" must be NAME=LIMIT, such as rate=95'),
    ("above", "p99=50", 'p99 needs a duration with a unit, such as 50ms, not "50"'),
    ("above", "p99=-1ms", 'p99 needs a duration with a unit, such as 50ms, not "-1ms"'),
    ("above", "p0=1s", 'unknown threshold "p0"; use one of p50, p90, p95, p99, mean, max, errors, error-rate,'),
    ("above", "p99=1s,p100=1s", 'unknown threshold "p100"; use one of p50, p90,'),
    ("above", "errors=1.5", 'errors needs a whole number, such as 0, not "1.5"'),
    ("above", "errors=²", 'errors needs a whole number, such as 0, not "²"'),
    ("above", "error-rate=1", 'error-rate needs a percentage from 0% to 100%, such as 0.1%, not "1"'),
    ("above", "error-rate=101%", 'error-rate needs a percentage from 0% to 100%, such as 0.1%, not "101%"'),
    ("above", "rate=5", "rate is a threshold for --fail-below"),
    ("below", "p99=5s", "p99 is a threshold for --fail-above"),
    ("below", "errors=5", "errors is a threshold for --fail-above"),
    ("below", "rate=nan", 'rate needs a number of requests a second, such as 95, not "nan"'),
])  # fmt: skip
def test_wrong_thresholds_end_the_command(tmp_path: Path, flag: str, word: str, reason: str) -> None:
    """A threshold that cannot be read is exit code 1 before anything is sent, and the error says what is right."""
    for outcome in (
        runner(LOADTEST, tmp_path)(f"--fail-{flag}", word),
        runner(LOADTEST, tmp_path)(env={f"WFX_FAIL_{flag.upper()}": word}),
    ):
        assert (outcome.code, outcome.out) == (1, "")
        assert reason in outcome.err


def test_missing_needs_subscribers(tmp_path: Path) -> None:
    """A threshold for events is refused where nobody listens to events."""
    for arguments in ([], ["--scenario", "events", "--subscribers", "0"]):
        outcome = runner(LOADTEST, tmp_path)("--fail-above", "missing-events=0", *arguments)
        assert outcome.code == 1
        assert outcome.err.startswith("Error: --fail-above missing-events=… needs a scenario with subscribers")


def test_the_help_names_every_threshold(tmp_path: Path) -> None:
    """The help says what each flag can be given, and the exit code."""
    shown = " ".join(runner(LOADTEST, tmp_path)("--help").out.split())
    for option in options.RUN:
        if option.name.startswith("fail-"):
            assert option.summary in shown
    for name in (*thresholds.CEILINGS, *thresholds.FLOORS, "99 if a threshold failed"):
        assert name in shown
    assert shown.count("wfx-loadtest --duration 30s --fail-above p99=50ms") == 1


async def test_a_failed_threshold_is_exit_99_and_in_every_report(stub: Stub, tmp_path: Path) -> None:
    """Standard error names what failed, and all four reports have each verdict."""
    stub.answers["GET", "workflows"] = [(500, {})] * 5
    done = await asyncio.to_thread(
        _run, *_at(stub), "--duration", "500ms", "--read-freq", "20", "--write-freq", "0",
        "--fail-above", "errors=4,error-rate=60%", "--fail-below", "throughput=1000", folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 99
    told = [line for line in done.stderr.splitlines() if line.startswith("threshold failed: ")]
    assert told[0] == "threshold failed: errors is 5, above 4"
    assert told[1].startswith("threshold failed: throughput is ")
    assert len(told) == 2
    [folder] = (tmp_path / "results").iterdir()
    table = (folder / "metrics.txt").read_text("utf-8")
    assert table in done.stdout
    rows = {" ".join(line.split()) for line in table.splitlines() if line.startswith("Threshold ")}
    assert "Threshold errors [limit, value, verdict] 4, 5, failed" in rows
    assert "Threshold error-rate [limit, value, verdict] 60%, 50%, passed" in rows
    document = orjson.loads((folder / "metrics.json").read_bytes())
    assert document["thresholds"][0] == {"name": "errors", "fail": "above", "limit": 4.0, "value": 5, "passed": False}
    assert [one["passed"] for one in document["thresholds"]] == [False, True, False]
    page = (folder / "plot.html").read_text("utf-8")
    assert '<li class="failed"><b>failed</b> errors is 5, above 4</li>' in page
    assert '<li class="passed"><b>passed</b> error-rate is 50%, within 60%</li>' in page
    picture = ET.fromstring((folder / "plot.svg").read_text("utf-8"))
    texts = ["".join(element.itertext()) for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "threshold failed: errors is 5, above 4" in texts


async def test_thresholds_that_are_kept_are_exit_0(stub: Stub, tmp_path: Path) -> None:
    """From the variables, too, with several in one; then nothing is said on standard error."""
    done = await asyncio.to_thread(
        _run, *_at(stub), "--duration", "500ms", folder=tmp_path,
        WFX_FAIL_ABOVE="errors=0,p99=1m", WFX_FAIL_BELOW="rate=1", WFX_LOG_LEVEL="error",
    )  # fmt: skip
    assert done.returncode == 0
    assert "threshold" not in done.stderr
    assert done.stdout.count(", passed\n") == 3


def test_the_rate_of_a_search_is_the_one_that_held() -> None:
    """With --target, ``rate`` is compared with the highest rate that held, not with what was measured of it."""
    found = [Fact("Highest rate", ("req/s", "p99 bound"), ("400", "20ms"))]
    assert _sentence("rate=400", _metrics(), found, floor=True) == (True, "rate is 400, not below 400")
    assert _sentence("rate=401", _metrics(), found, floor=True) == (False, "rate is 400, below 401")
