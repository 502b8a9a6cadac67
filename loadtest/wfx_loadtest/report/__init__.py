"""What is left of a run: text, distribution and plots, in a folder of their own."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from wfx_loadtest.report import figures, hdr, page, svg, text
from wfx_loadtest.result import Result


def write(result: Result, root: Path) -> Path:
    """Write all files to a new folder below ``root``, named by the run's start in Unix seconds; return it.

    A name that is taken (two runs in one second) is counted up. Raises OSError.
    """
    shown = figures.collect(result)
    folder = _new_folder(root, int(result.when.timestamp()))
    (folder / "metrics.txt").write_text(text.table(result.metrics, result.facts), "utf-8")
    (folder / "histogram.hdr").write_text(hdr.render(result.metrics.latencies), "utf-8")
    (folder / "plot.html").write_text(page.render(shown), "utf-8")
    (folder / "plot.svg").write_text(svg.render(shown), "utf-8")
    return folder


def _new_folder(root: Path, first: int) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for number in count(first):
        folder = root / str(number)
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError("count() does not end")
