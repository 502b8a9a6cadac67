"""The guide to the service's speed, made from figures."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bench import chart, curves, machine, page, queries, ratios, scale
from bench.servers import ENGINES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def figures() -> dict[str, Any]:
    """Figures as a run leaves them, with values that stand out."""
    operations = [ratios.Row("uvicorn", "GET job", 16, 12345, 0.61, 0.6, 0.62, 1.2, 2.3, 98, 0.5, 0)]
    throughput = [
        curves.Throughput(engine, operation, connections, 1000.0 * connections, 1, 2, 100, 0)
        for engine in ENGINES for operation in curves.OPERATIONS for connections in curves.CONNECTIONS
    ] + [curves.Throughput(engine, curves.NEW_CONNECTIONS, 64, 2000, 1, 2, 450, 0) for engine in ENGINES]  # fmt: skip
    latency = [
        curves.Latency(engine, rate, rate, rate / 1000, rate / 200, generator_late=rate > 1000)
        for engine in ENGINES for rate in (100, 1000, 2000)
    ]  # fmt: skip
    return {
        "machine": asdict(machine.describe()),
        "others": 0.01,
        "operations": [asdict(row) for row in operations],
        "throughput": [asdict(point) for point in throughput],
        "latency": [asdict(point) for point in latency],
        "findings": [asdict(scale.Finding("memory when idle", 48.21, "MiB", 150))],
        "queries": [asdict(queries.Duration("client", 20, 0.8, 0.9, 0.7, 1.1))],
    }


def test_the_guide_takes_figures_between_its_marks(figures: dict[str, Any]) -> None:
    """Every figure of a run gets into the guide; a second time changes nothing, and other figures replace them."""
    guide = page.updated((ROOT / "docs" / "performance.md").read_text(encoding="utf-8"), figures)
    for shown in (
        "| uvicorn | GET job | 16 | 12,345 | 0.61 |",
        "| 48.21 MiB | at most 150 MiB |",
        "| client | 20 |",
        "| uvicorn | GET job | 1,000 | 4,000 | 16,000 | 64,000 | 256,000 |",
        "the generator was late",
    ):
        assert shown in guide
    assert page.updated(guide, figures) == guide
    figures["operations"][0]["rate"] = 54321
    assert "12,345" not in page.updated(guide, figures)


def test_a_busy_machine_is_named_in_the_guide(figures: dict[str, Any]) -> None:
    """Figures of a machine that others used say so where the machine is described."""
    guide = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert "Other programs took" not in page.updated(guide, figures)
    assert "Other programs took 40% of the processors" in page.updated(guide, figures | {"others": 0.4})


def test_a_guide_without_a_mark_is_refused(figures: dict[str, Any]) -> None:
    """A mark that got lost stops the writing instead of losing a table."""
    with pytest.raises(ValueError, match="not enough values"):
        page.updated("# Performance\n", figures)


def test_text_around_the_tables_holds_no_measured_figure() -> None:
    """What a run measures stands between marks only, so that it cannot grow old unnoticed."""
    guide = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    text = re.sub(r"<!-- (\w+): made by.*?<!-- end of \1 -->", "", guide, flags=re.DOTALL)
    assert not re.search(r"\d+(\.\d+)? ?(µs|requests/s|MiB|devices)|ratio of \d", text)


def test_devices_per_core_follow_from_the_time_a_poll_takes() -> None:
    """A poll of half a millisecond every 45 s, with half of the core to spare: 45,000 devices."""
    assert page.devices_per_core(500) == 45_000
    assert page.devices_per_core(1000) == 22_500


def test_pictures_stand_alone(figures: dict[str, Any]) -> None:
    """Each picture is well-formed, has a line for each series, and refers to nothing outside."""
    for name, picture in page.pictures(figures).items():
        drawn = chart.render(picture)
        root = ET.fromstring(drawn)
        lines = root.findall("{http://www.w3.org/2000/svg}path[@d]")
        assert len([line for line in lines if "line" in line.get("class", "").split()]) == len(picture.lines) == 4, name
        assert not re.search(r"href|url\(|@import|<script", drawn)
    assert set(page.pictures(figures)) == set(
        re.findall(r"\((performance-.*?\.svg)\)", (ROOT / "docs" / "performance.md").read_text(encoding="utf-8"))
    )


def test_points_are_where_their_values_say() -> None:
    """Equal factors are equal steps on a logarithmic axis, and zero is at the bottom of a linear one."""
    across = chart.doublings("connections", (1, 4, 16))
    assert [across.share(value) for value in (1, 4, 16)] == pytest.approx([0, 0.5, 1])
    upright = chart.counts("requests/s", [0, 900, 1000])
    assert upright.share(0) == 0
    assert [value for value, _ in upright.marks] == [0, 200, 400, 600, 800, 1000]
