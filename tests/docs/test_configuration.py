"""The guide to configuration lists the options that there are."""

from __future__ import annotations

from pathlib import Path

from wfx.config import document

GUIDE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_guide_is_current() -> None:
    """The table of options in the guide is the one the program knows; `make docs` writes it anew."""
    text = GUIDE.read_text(encoding="utf-8")
    assert text == document.updated(text)
    assert "`--client-port`" in text
