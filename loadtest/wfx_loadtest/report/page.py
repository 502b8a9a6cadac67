"""``plot.html``: one file that needs nothing else, opens offline and runs no script but its own."""

from __future__ import annotations

import html
from collections.abc import Iterable
from importlib.resources import files
from string import Template

import orjson

from wfx_loadtest.duration import in_one_unit
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
        notice=_element("p", figures.notice, "notice"),
        tiles=_pairs(figures.tiles),
        facts=_facts(figures),
        errors=_errors(figures.errors),
    )


def _element(tag: str, content: str, style: str) -> str:
    return f'<{tag} class="{style}">{html.escape(content)}</{tag}>' if content else ""


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>" for name, value in pairs)


def _facts(figures: Figures) -> str:
    if not figures.facts:
        return ""
    rows = "".join(
        f"<tr><th scope=row>{html.escape(fact.title)}</th><td><dl>"
        f"{_pairs(zip(fact.members, in_one_unit(fact.durations) or fact.values, strict=True))}</dl></td></tr>"
        for fact in figures.facts
    )
    return f'<section class="card"><h2>What the scenario found</h2><table>{rows}</table></section>'


def _errors(errors: list[str]) -> str:
    if not errors:
        return ""
    items = "".join(f"<li>{html.escape(error)}</li>" for error in errors)
    return f'<section class="card"><h2>Errors</h2><ul class="errors">{items}</ul></section>'
