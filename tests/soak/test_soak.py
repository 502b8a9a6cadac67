"""The soak test runs, and would find what grows."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import psutil
import pytest

from tests.soak.__main__ import Sample, main, measure, verdict
from tests.soak.slope import settled, slope_of

LEAKS = """
import time
kept = []
while True:
    kept.append((open("/dev/null"), bytearray(b"x") * 1_000_000))
    time.sleep(0.01)
"""


@pytest.mark.timeout(300)
def test_a_short_run(capsys: pytest.CaptureFixture[str]) -> None:
    """A run of some seconds puts the service under every load, prints the slopes, and finds nothing that rises."""
    assert main(["--duration=3s"]) == 0
    said = capsys.readouterr().out
    for expected in ("default", "fleet", "events", "descriptors", "per hour", "nothing rises"):
        assert expected in said


def test_a_process_that_leaks(capsys: pytest.CaptureFixture[str]) -> None:
    """Memory and descriptors of a process that never gives anything back are found to rise, its threads are not."""
    with subprocess.Popen([sys.executable, "-c", LEAKS]) as running:
        process, samples, begun = psutil.Process(running.pid), list[tuple[float, Sample]](), time.monotonic()
        while len(samples) < 12:
            if not samples or process.num_fds() > samples[-1][1]["descriptors"] + 1:
                samples.append((time.monotonic() - begun, measure(process)))
        running.kill()
    assert verdict(samples) == ["memory [MiB]", "descriptors"]
    assert capsys.readouterr().out.count("per hour") == len(samples[0][1])


@pytest.mark.parametrize(("figures", "rises"), [
    ([50.0 + n for n in range(40)], True),
    ([50.0] * 40, False),
    ([50.0 + 0.1 * n for n in range(40)], False),
    ([min(50.0 + 4 * n, 110) for n in range(40)], False),
    ([random.Random(1).gauss(50, 20) for _ in range(40)], False),
])  # fmt: skip
def test_what_counts_as_rising(figures: list[float], *, rises: bool) -> None:
    """A steady rise counts; noise, little, and what levels off in the first half do not."""
    assert slope_of(settled(list(enumerate(figures)))).rises(8) is rises


def test_slope() -> None:
    """The slope of points on a line is exact."""
    slope = slope_of([(0, 1), (2, 5), (4, 9), (10, 21)])
    assert slope.per_second == pytest.approx(2)
    assert slope.error == pytest.approx(0, abs=1e-9)
    assert slope.seconds == 10
