"""The table of verdicts by module, and the survivors; those that change nothing are listed in ``spec/mutants.md``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from tests.mutants.areas import ROOT
from tests.mutants.state import Verdict

JUDGED = ROOT / "spec" / "mutants.md"
COLUMNS = ("tried", "killed", "timed out", "survived", "equivalent")
_ROW = re.compile(r"^\| `(wfx/[^`]+)` \| `` (.*?) `` \| `` (.*?) `` \| .+ \|$", re.MULTILINE)


def key_of(verdict: Verdict) -> tuple[str, str, str]:
    """The change as the table of equivalent mutants names it: module, what goes, what comes."""
    gone, come = (" ⏎ ".join(line[1:] for line in verdict.diff if line[0] == sign) for sign in "-+")
    return verdict.module, gone, come


def equivalents() -> set[tuple[str, str, str]]:
    """The changes that were judged to change nothing that anybody could notice."""
    text = JUDGED.read_text(encoding="utf-8") if JUDGED.exists() else ""
    return {(module, gone, come) for module, gone, come in _ROW.findall(text)}


def lines(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """The table, then the survivors that nobody has judged."""
    judged, counts, left = equivalents(), dict[str, Counter[str]](), list[Verdict]()
    for verdict in sorted(verdicts, key=lambda one: one.name):
        outcome = verdict.outcome
        if outcome == "survived" and key_of(verdict) in judged:
            outcome = "equivalent"
        elif outcome == "survived":
            left.append(verdict)
        counts.setdefault(verdict.module, Counter()).update((outcome, "tried"))
    yield from _table(counts)
    for verdict in left:
        _, gone, come = key_of(verdict)
        yield f"\n{verdict.name}\n| `{verdict.module}` | `` {gone} `` | `` {come} `` | … |"


def _table(counts: dict[str, Counter[str]]) -> Iterator[str]:
    yield "| module | " + " | ".join(COLUMNS) + " | noticed |"
    yield "|---|" + "---:|" * (len(COLUMNS) + 1)
    areas: dict[str, Counter[str]] = {}
    for module, found in counts.items():
        yield _row(f"`{module}`", found)
        areas.setdefault(module.split("/")[1], Counter()).update(found)
    for area, found in areas.items():
        yield _row(f"**{area}**", found)
    yield _row("**all**", sum(areas.values(), Counter()))


def _row(name: str, found: Counter[str]) -> str:
    matters = found["tried"] - found["equivalent"]
    noticed = f"{100 * (found['killed'] + found['timed out']) / matters:.0f} %" if matters else "-"
    return f"| {name} | " + " | ".join(str(found[column]) for column in COLUMNS) + f" | {noticed} |"
