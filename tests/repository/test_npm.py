"""What is fetched by npm, when that is tried as a program."""

from __future__ import annotations

import sys
from subprocess import CalledProcessError

import pytest

from release import npm


def failing(_optional: bool) -> str:
    """Fail as npm does."""
    raise CalledProcessError(1, "npm")


def test_a_part_that_can_be_done_without(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With --if-npm-is-found a failure is told, with the target that says why; without it the program fails."""
    monkeypatch.setattr(sys, "argv", ["program", "--if-npm-is-found"])
    npm.fetch_for_program(failing, "There is no part", "part")
    assert capsys.readouterr().out == "There is no part (CalledProcessError); make part says why.\n"
    monkeypatch.setattr(sys, "argv", ["program"])
    with pytest.raises(CalledProcessError):
        npm.fetch_for_program(failing, "There is no part", "part")


def test_what_was_done_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What a fetch says is printed; one that had nothing to do says nothing."""
    monkeypatch.setattr(sys, "argv", ["program"])
    npm.fetch_for_program(lambda optional: f"Fetched, optional: {optional}.", "", "part")
    npm.fetch_for_program(lambda _: "", "", "part")
    assert capsys.readouterr().out == "Fetched, optional: False.\n"
