"""What is left of a run: text, distribution and plots, in a folder of their own."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from wfx_loadtest.report import figures, hdr, json_summary, page, svg, text
from wfx_loadtest.result import Result


def write(result: Result, root: Path) -> Path:
    """Write all files to a new folder below ``root``, named by the run's start in Unix seconds; return it.

    A name that is taken (two runs in one second) is counted up. Nobody but the owner may read it. Raises OSError.
    """
    shown = figures.collect(result)
    folder = _new_folder(root, int(result.when.timestamp()))
    _write(folder / "metrics.txt", text.summary(result))
    _write(folder / "metrics.json", json_summary.render(result))
    _write(folder / "histogram.hdr", hdr.render(result.metrics.latencies))
    _write(folder / "plot.html", page.render(shown))
    _write(folder / "plot.svg", svg.render(shown))
    return folder


def _write(path: Path, content: str) -> None:
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(content, "utf-8")


def _new_folder(root: Path, first: int) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for number in count(first):
        folder = root / str(number)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return folder
    raise AssertionError("count() does not end")
