"""Help, errors and tables are as they were, unless somebody meant to change them."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.wfxctl.snapshots import FOLDER, NOW, SHOWN
from wfxctl import times


@pytest.fixture(autouse=True)
def _one_moment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(times, "time", SimpleNamespace(time=lambda: NOW))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_is_what_was_meant(name: str) -> None:
    """What commands show is what the files say; ``make docs`` writes them anew for whoever changes it on purpose."""
    kept, shown = (FOLDER / name).read_text(encoding="utf-8"), SHOWN[name]()
    changes = difflib.unified_diff(kept.splitlines(), shown.splitlines(), "kept", "shown", lineterm="", n=1)
    assert kept == shown, "make docs writes this anew:\n" + "\n".join(changes)
