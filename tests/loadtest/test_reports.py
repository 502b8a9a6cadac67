from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import orjson
import pytest

from wfx.version import VERSION
from wfx_loadtest import options, report
from wfx_loadtest.compare import NotAResult, compare
from wfx_loadtest.duration import MILLISECOND, SECOND, in_one_unit
from wfx_loadtest.facts import Fact
from wfx_loadtest.metrics import LATE, Metrics, Outcome
from wfx_loadtest.report import hdr, text
from wfx_loadtest.result import Result
from wfx_loadtest.settings import Settings

GOLDEN = Path(__file__).parent / "golden"
STARTED = datetime(2026, 7, 1, 8, 0, 0, tzinfo=UTC)


def _metrics(scale: float = 1.0) -> Metrics:
    """Six seconds of the default mix with latencies that rise evenly, and a few failures."""
    metrics = Metrics(0, 6 * SECOND)
    for number in range(600):
        read, latency = number % 4 != 0, int((300_000 + number * 5_003) * scale)
        code, error = (500, "500 Internal Server Error") if number % 200 == 199 else (200, "")
        if number == 300:
            code, error = 0, "no answer within 10s <b>"
        metrics.lateness.add(1000)
        series = "Read Jobs" if read else "Generate and update jobs"
        metrics.add(
            Outcome(
                series,
                number * 10 * MILLISECOND,
                latency,
                code,
                bytes_in=1800 + number if code else 0,
                bytes_out=0 if read else 98,
                error=error,
            )
        )
    return metrics


def _result(metrics: Metrics, facts: list[Fact] | None = None) -> Result:
    return Result(Settings(duration=6 * SECOND), STARTED, metrics, facts or [], interrupted=False)


def _golden(name: str) -> str:
    return (GOLDEN / name).read_text("utf-8")


def test_the_summary_has_the_contract_layout() -> None:
    """The table on the terminal and in metrics.txt is, to the letter, what scripts for it expect."""
    assert text.BANNER + text.table(_metrics()) == _golden("summary.txt")


def test_the_layout_is_that_of_the_contract_example() -> None:
    """The titles, legends and columns are those of the example in the contract."""
    example = [
        "Requests      [total, rate, throughput]         ",
        "Duration      [total, attack, wait]             ",
        "Latencies     [min, mean, 50, 90, 95, 99, max]  ",
        "Bytes In      [total, mean]                     ",
        "Bytes Out     [total, mean]                     ",
        "Success       [ratio]                           ",
        "Status Codes  [code:count]                      ",
        "Error Set:",
    ]
    lines = text.table(_metrics()).splitlines()
    assert [line[: len(head)] for line, head in zip(lines, example, strict=False)] == example
    assert lines[6].endswith("0:1  200:596  500:3  ")


def test_what_a_scenario_adds_follows_the_table() -> None:
    """The lines of a scenario come after a blank line, so that the table itself stays as it is."""
    facts = [Fact("Jobs", ("created", "finished"), ("5", "4"))]
    assert text.table(_metrics(), facts) == text.table(_metrics()) + "\nJobs  [created, finished]  5, 4\n"


def test_the_distribution_has_94_rows() -> None:
    """histogram.hdr has four columns and 94 rows from 0 to 1, with rising values and counts."""
    shown = hdr.render(_metrics().latencies)
    assert shown == _golden("histogram.hdr")
    head, *rows = [line.split() for line in shown.splitlines()]
    assert head == ["Value(ms)", "Percentile", "TotalCount", "1/(1-Percentile)"]
    assert len(rows) == 94
    assert (rows[0][1], rows[-1][1], rows[-1][2]) == ("0.000000", "1.000000", "600")
    for column in range(4):
        values = [float(row[column]) for row in rows]
        assert values == sorted(values)


def test_a_run_without_requests_still_has_a_report(tmp_path: Path) -> None:
    """Rates of 0 give a table of zeros and plots without points."""
    folder = report.write(_result(Metrics(0, SECOND)), tmp_path)
    assert (folder / "metrics.txt").read_text().splitlines()[0].split("]")[1].strip() == "0, 0.00, 0.00"
    assert ">no requests</text>" in (folder / "plot.svg").read_text()
    assert "No requests were made." in (folder / "plot.svg").read_text()


def test_the_results_folder_is_named_by_the_start(tmp_path: Path) -> None:
    """The folder is the start in Unix seconds and holds five files; a second run of that second gets the next name."""
    folders = [report.write(_result(_metrics()), tmp_path / "results") for _ in range(2)]
    assert [folder.name for folder in folders] == ["1782892800", "1782892801"]
    assert {file.name for file in folders[0].iterdir()} == {
        "metrics.txt", "metrics.json", "histogram.hdr", "plot.html", "plot.svg",
    }  # fmt: skip
    assert (folders[0] / "metrics.txt").read_text("utf-8") == text.table(_metrics())


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    """plot.html is titled wfx, loads nothing from anywhere, and carries its data; texts of servers stay texts."""
    page = (report.write(_result(_metrics()), tmp_path) / "plot.html").read_text("utf-8")
    assert "<title>wfx</title>" in page
    told = re.sub(r'<dl class="about">.*?</dl>|<script type="application/json".*?</script>', "", page, flags=re.DOTALL)
    assert "http://localhost:8080" in page
    assert not re.search(r"""(src|href)=|url\(|@import""", page)
    assert not re.search("https?://", told)
    assert "<b>" not in page
    data = orjson.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    assert [one["name"] for one in data["series"]] == [
        "Generate and update jobs: OK",
        "Generate and update jobs: ERROR",
        "Read Jobs: OK",
        "Read Jobs: ERROR",
    ]
    assert sum(len(one["points"]) for one in data["series"]) == 600


def test_the_picture_is_valid_and_complete(tmp_path: Path) -> None:
    """plot.svg is well-formed, titled wfx, and has a mark for each request and a name for each series."""
    picture = ET.fromstring((report.write(_result(_metrics()), tmp_path) / "plot.svg").read_text("utf-8"))
    space = "{http://www.w3.org/2000/svg}"
    assert picture.find(f"{space}title").text == "wfx"  # type: ignore[union-attr]
    paths = {path.get("class"): path.get("d", "") for path in picture.iter(f"{space}path")}
    assert (paths["dots s0"] + paths["dots s1"]).count("h0") == 596
    assert (paths["crosses e0"] + paths["crosses e1"]).count("M") == 4
    texts = ["".join(element.itertext()) for element in picture.iter(f"{space}text")]
    assert "Read Jobs: OK" in texts


def test_a_generator_that_was_late_is_named_everywhere(tmp_path: Path) -> None:
    """If requests left late, the page and the picture say so."""
    metrics = _metrics()
    for _ in range(60):
        metrics.lateness.add(LATE * 2)
    folder = report.write(_result(metrics), tmp_path)
    sentence = "fell behind its schedule: 60 of 660 requests left more than 5ms late (the worst 10ms)"
    assert sentence in text.lateness(metrics)
    assert sentence in (folder / "plot.html").read_text("utf-8")
    assert sentence in (folder / "plot.svg").read_text("utf-8")


def test_two_runs_are_compared_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each figure of both runs stands in a row, with the change between them."""
    monkeypatch.chdir(tmp_path)
    for name, scale in (("before", 1.0), ("after", 1.5)):
        folder = report.write(_result(_metrics(scale), [Fact("Jobs", ("created", "finished"), ("5", "4"))]), tmp_path)
        folder.rename(name)
    assert compare(Path("before"), Path("after")) == _golden("compare.txt")


def test_results_of_other_tools_can_be_compared(tmp_path: Path) -> None:
    """The example of the contract is understood, with nothing but its metrics.txt."""
    (tmp_path / "metrics.txt").write_text(
        "Requests      [total, rate, throughput]         600, 100.22, 100.19\n"
        "Latencies     [min, mean, 50, 90, 95, 99, max]  "
        "658.176µs, 1.244ms, 1.159ms, 1.753ms, 2.013ms, 2.547ms, 3.473ms\n"
        "Status Codes  [code:count]                      200:599  201:1  \nError Set:\n",
        "utf-8",
    )
    rows = [line.split() for line in compare(tmp_path, tmp_path).splitlines()]
    assert ["Latencies", "99", "2.547ms", "2.547ms"] in rows
    assert ["Status", "201", "1", "1"] in rows


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"nothing here\n"])
def test_a_folder_without_figures_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """A folder without a readable metrics.txt is named in the error."""
    if content is not None:
        (tmp_path / "metrics.txt").write_bytes(content)
    with pytest.raises(NotAResult, match=re.escape(str(tmp_path))):
        compare(tmp_path, tmp_path)


def _texts(picture: str) -> list[str]:
    space = "{http://www.w3.org/2000/svg}"
    return ["".join(element.itertext()) for element in ET.fromstring(picture).iter(f"{space}text")]


@pytest.mark.parametrize(("slowest", "marks"), [
    (4, ["0", "2 ms", "4 ms", "6 ms", "8 ms"]), (1000, ["10 ms", "100 ms", "1000 ms"]),
])  # fmt: skip
def test_the_scale_suits_the_slowest(tmp_path: Path, slowest: int, marks: list[str]) -> None:
    """The picture's scale is logarithmic if the slowest took more than five medians, and its marks have one unit."""
    metrics = Metrics(0, SECOND)
    for number in range(100):
        latency = 2 * MILLISECOND * (slowest if number == 50 else 1)
        metrics.add(Outcome("Read Jobs", number * 10 * MILLISECOND, latency, 200))
    texts = _texts((report.write(_result(metrics), tmp_path) / "plot.svg").read_text("utf-8"))
    assert set(marks) <= set(texts)
    assert sum(text.endswith("ms") and not text.startswith("southbound") for text in texts) < 12


def test_the_p99_is_drawn_in_steps(tmp_path: Path) -> None:
    """A stretch of time has one p99, so the line is level over it; where there were no requests there is none."""
    metrics = Metrics(0, 10 * SECOND)
    for second in (0, 1, 4, 9):
        for number in range(50):
            latency = (second + 1) * MILLISECOND
            metrics.add(Outcome("Read Jobs", second * SECOND + number * 10 * MILLISECOND, latency, 200))
    picture = ET.fromstring((report.write(_result(metrics), tmp_path) / "plot.svg").read_text("utf-8"))
    paths = {path.get("class"): path.get("d", "") for path in picture.iter("{http://www.w3.org/2000/svg}path")}
    assert re.sub(r"[\d. ]+", "", paths["p99 s0"]) == "MHVHMHMH"


def test_reports_say_what_was_tested(tmp_path: Path) -> None:
    """The picture names addresses, versions and the generator's punctuality, and options as they are called."""
    metrics = _metrics()
    settings = Settings(duration=6 * SECOND, scenario="fleet", client_unix_socket="/run/c.sock", enable_tls=True)
    result = Result(settings, STARTED, metrics, [], interrupted=False, service="1.2.3")
    texts = " ".join(_texts((report.write(result, tmp_path) / "plot.svg").read_text("utf-8")))
    assert f"generator wfx-loadtest {VERSION}: 0 of 600 requests left more than 5ms late, the worst 1µs" in texts
    assert "southbound /run/c.sock; northbound https://localhost:8444; service wfx 1.2.3" in texts
    assert "scenario fleet, duration 6s, read-freq 75, write-freq 25, devices 100, poll-interval 1s" in texts
    assert "read-freq" not in Settings(scenario="events").sentence, "this scenario reads nothing"
    names = {option.name for option in options.RUN}
    assert {part.split(" ")[0] for part in settings.sentence.split(", ")} <= names


@pytest.mark.parametrize(("durations", "shown"), [
    ([], ()), ([0], ("0 µs",)), ([658_176, 1_244_000, 23_069_000], ("0.6582 ms", "1.244 ms", "23.07 ms")),
    ([500, 1_000, 2_000_000_000], ("0.5 µs", "1 µs", "2000000 µs")), ([1_500_000_000], ("1.5 s",)),
    ([12_345_678_000, 3], ("12.35 s", "0.000000003 s")),
])  # fmt: skip
def test_durations_in_one_box_have_one_unit(durations: list[int], shown: tuple[str, ...]) -> None:
    """Durations that stand beside each other have one unit, which suits the middle one, and four digits."""
    assert in_one_unit(durations) == shown


def test_success_is_never_rounded_up() -> None:
    """One failure among a hundred thousand requests is not a success of 100.00%."""
    metrics = Metrics(0, SECOND)
    metrics.requests, metrics.successes = 100_000, 99_999
    assert text.success(metrics) == "99.99%"
    metrics.successes = 57_000
    assert text.success(metrics) == "57.00%"
    metrics.successes = 100_000
    assert text.success(metrics) == "100.00%"


def test_reports_for_programs_have_the_names_of_vegeta(tmp_path: Path) -> None:
    """metrics.json has Vegeta's names, durations in nanoseconds, and what the scenario adds as numbers."""
    facts = [Fact("Jobs", ("created", "finished"), ("5", "4"))]
    document = orjson.loads((report.write(_result(_metrics(), facts), tmp_path) / "metrics.json").read_bytes())
    assert set(document) >= {
        "latencies", "bytes_in", "bytes_out", "earliest", "latest", "end", "duration", "wait", "requests", "rate",
        "throughput", "success", "status_codes", "errors",
    }  # fmt: skip
    assert set(document["latencies"]) == {"min", "mean", "50th", "90th", "95th", "99th", "max"}
    assert document["latencies"]["min"] == 300_000
    assert document["status_codes"] == {"0": 1, "200": 596, "500": 3}
    assert document["earliest"] == "2026-07-01T08:00:00+00:00"
    assert document["scenario"] == [{"title": "Jobs", "created": 5, "finished": 4}]
    assert (document["interrupted"], document["thresholds"]) == (False, [])
    assert document["options"]["read-freq"] == 75


def test_an_interrupted_run_says_so(tmp_path: Path) -> None:
    """Page and picture of a run that was interrupted name the moment."""
    result = Result(Settings(duration=60 * SECOND), STARTED, _metrics(), [], interrupted=True)
    folder = report.write(result, tmp_path)
    for name in ("plot.html", "plot.svg"):
        assert "The run was interrupted after 5.99" in (folder / name).read_text("utf-8")


@pytest.mark.parametrize(("highest", "which"), [
    ("200", "the highest rate that held"), ("none", "the first rate that was tried, since none held"),
])  # fmt: skip
def test_a_search_says_whose_figures_these_are(tmp_path: Path, highest: str, which: str) -> None:
    """The page of a search for the highest rate says of which of the rates its charts are."""
    facts = [Fact("Highest rate", ("req/s", "p99 bound"), (highest, "20ms"))]
    settings = Settings(duration=6 * SECOND, target=20 * MILLISECOND)
    folder = report.write(Result(settings, STARTED, _metrics(), facts, interrupted=False), tmp_path)
    assert f"Figures and charts are those of {which}: 100 requests/s." in (folder / "plot.html").read_text("utf-8")


def test_lines_of_the_picture_fit_its_width(tmp_path: Path) -> None:
    """A notice is written in lines that the picture has room for, above the chart."""
    metrics = _metrics()
    for _ in range(60):
        metrics.lateness.add(LATE * 2)
    result = Result(Settings(duration=60 * SECOND), STARTED, metrics, [], interrupted=True)
    lines = _texts((report.write(result, tmp_path) / "plot.svg").read_text("utf-8"))
    assert max(map(len, lines)) < 200


def test_steps_of_searches_are_not_compared(tmp_path: Path) -> None:
    """Two searches for the highest rate are compared by their results, and not by their last steps."""
    facts = [
        Fact("Highest rate", ("req/s", "p99 bound"), ("400", "20ms")),
        Fact("Step", ("req/s", "p99", "verdict"), ("800", "30ms", "p99 over 20ms")),
    ]
    folder = report.write(_result(_metrics(), facts), tmp_path)
    rows = compare(folder, folder)
    assert "Highest rate req/s" in rows
    assert "Step" not in rows
