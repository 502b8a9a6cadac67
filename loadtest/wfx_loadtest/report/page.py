"""``plot.html``: one file that needs nothing else, opens offline and runs no script but its own."""

from __future__ import annotations

import html
from collections.abc import Iterable
from importlib.resources import files
from string import Template

import orjson

from wfx_loadtest.duration import in_one_unit
from wfx_loadtest.facts import Fact
from wfx_loadtest.report.figures import Figures


def render(figures: Figures) -> str:
    """Return the page."""
    place = files(__package__)
    style, script, frame = ((place / name).read_text("utf-8") for name in ("page.css", "page.js", "page.html"))
    data = orjson.dumps(figures, option=orjson.OPT_SERIALIZE_DATACLASS).decode().replace("<", "\\u003c")
    return Template(frame).substitute(
        style=style,
        script=script,
        data=data,
        subtitle=html.escape(figures.subtitle),
        when=html.escape(figures.when),
        about=_pairs(figures.about),
        notices="".join(f'<p class="notice">{html.escape(notice)}</p>' for notice in figures.notices),
        thresholds=_thresholds(figures),
        tiles=_pairs(figures.tiles),
        stretch="second" if figures.step == 1 else f"{figures.step:g} s",
        facts=_facts(figures),
        errors=_errors(figures.errors),
    )


def _thresholds(figures: Figures) -> str:
    if not figures.verdicts:
        return ""
    items = "".join(
        f'<li class="{verdict.word}"><b>{verdict.word}</b> {html.escape(verdict.sentence)}</li>'
        for verdict in figures.verdicts
    )
    return f'<section class="card"><h2>Thresholds</h2><ul class="thresholds">{items}</ul></section>'


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>" for name, value in pairs)


def _facts(figures: Figures) -> str:
    if not figures.facts:
        return ""
    rows = "".join(
        f"<tr><th scope=row>{html.escape(fact.title)}</th><td><dl>{_pairs(_shown(fact))}</dl></td></tr>"
        for fact in figures.facts
    )
    return f'<section class="card"><h2>Results</h2><table>{rows}</table></section>'


def _shown(fact: Fact) -> Iterable[tuple[str, str]]:
    if fact.durations:
        names = (f"p{name}" if name.isdecimal() else name for name in fact.members)
        return zip(names, in_one_unit(fact.durations), strict=True)
    return zip(fact.members, map(_grouped, fact.values), strict=True)


def _grouped(value: str) -> str:
    return f"{int(value):,}" if value.isdecimal() else value


def _errors(errors: list[tuple[str, int]]) -> str:
    if not errors:
        return ""
    items = "".join(f"<li>{html.escape(error)} <span>&times; {count:,}</span></li>" for error, count in errors)
    return f'<section class="card"><h2>Errors</h2><ul class="errors">{items}</ul></section>'
