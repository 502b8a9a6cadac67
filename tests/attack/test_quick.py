"""Each kind of attack for a moment: others are answered as ever, by counts and never by time."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest

from tests.attack.__main__ import kinds, lines
from tests.attack.duel import fight
from tests.attack.frame import ENGINES

SECONDS = 0.5
"""Each attack makes all its attempts once, however short that is; `make attack` goes on for long, on both engines."""


@pytest.mark.parametrize(("name", "engine"), list(zip(kinds(), cycle(ENGINES), strict=False)))
def test_others_are_answered(name: str, engine: str, tmp_path: Path) -> None:
    """While a service is attacked others get and put as ever; afterwards nothing is left, and its file is sound."""
    outcome = fight(name, engine, tmp_path, SECONDS)
    assert outcome.findings == [], "\n".join(lines(outcome))
