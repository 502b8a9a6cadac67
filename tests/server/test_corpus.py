"""What is answered to bytes that no well-behaved client sends: the same on both engines."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

import pytest
from rawhttp import Answer, Wire

from tests.server import document
from tests.server.corpus import CANARY, CASES, Case, canary
from tests.server.recording import Recorded

GUIDE = Path(__file__).parents[2] / "docs" / "http-edge.md"
SHORT = 1000


def ask(port: int, data: bytes, *, piece: int = 0) -> tuple[int, list[Answer]]:
    """Send bytes, in pieces if asked to; returns our port and all answers until the connection ends."""
    answers = []
    with Wire(port) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(ConnectionError):  # refused before all was sent
            for at in range(0, len(data), piece or len(data)):
                wire.send(data[at : at + (piece or len(data))])
        while not wire.over():
            answers.append(wire.answer())
        return wire.socket.getsockname()[1], answers


@pytest.mark.parametrize("case", CASES, ids=[f"row {case.row}: {case.name}" for case in CASES])
def test_corpus(recorded: Recorded, case: Case) -> None:
    """Rows 26 to 29 and 31: the answer is that of the table; whatever follows a refused request is seen by nobody."""
    expected = [case.status] if case.ends else [case.status, 404]
    paths = [] if case.path is None else [case.path]
    for piece in (0, 1) if len(case.data) < SHORT else (0,):
        port, answers = ask(recorded.service.ports["north"], case.data + canary(), piece=piece)
        assert [answer.status for answer in answers] == expected
        behind = [*paths, *([] if case.ends else [CANARY])]
        assert recorded.paths(port) == (behind, behind), "plugins and the app see the same"
        if case.ends and case.path is None:
            check_refusal(answers[0])


def check_refusal(answer: Answer) -> None:
    """A refusal is one line of text, and the connection ends with it."""
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["connection"] == "close"
    assert "date" in answer.headers
    assert answer.body.endswith(b"\n")
    assert answer.body.count(b"\n") == 1


def test_the_guide_has_the_table() -> None:
    """docs/http-edge.md shows what this corpus holds; `make docs` updates it."""
    text = GUIDE.read_text(encoding="utf-8")
    assert document.updated(text) == text
