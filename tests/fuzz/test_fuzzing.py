"""The long fuzz runs, shortly; and they can fail."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable

import pytest

from tests.fuzz import edge, frames
from tests.fuzz.__main__ import fuzz_edge, fuzz_frames, repeat
from tests.fuzz.mutation import mutated
from wfx.plugin.frame import FrameDecoder
from wfx.plugin.generated.messages import PluginResponse

SEED = "1" if "CI" in os.environ else str(random.randrange(10**9))


def test_frames() -> None:
    """Row 44: whatever bytes a plugin writes, they are frames and decisions, or are refused as what they are."""
    assert fuzz_frames(SEED, 2) > 100


def test_edge() -> None:
    """Rows 26 to 28: to bytes that are nearly a request both engines give the same answers, never 5xx, and no trace."""
    assert fuzz_edge(SEED, 4) > 10


def test_a_seed_gives_the_same_bytes() -> None:
    """What a seed makes it makes again."""
    made = [mutated(random.Random(f"7.{number}"), edge.SAMPLES, edge.TOKENS) for number in range(200)]
    assert made == [mutated(random.Random(f"7.{number}"), edge.SAMPLES, edge.TOKENS) for number in range(200)]
    assert len(set(made)) > 150


def forget_the_limit(patch: pytest.MonkeyPatch) -> None:
    """The reader of frames takes any length."""
    patch.setattr(FrameDecoder, "_length", lambda self, at: int.from_bytes(self._buffer[at : at + 4], "little"))
    patch.setattr(frames, "LIMIT", 20)


def trust_the_message(patch: pytest.MonkeyPatch) -> None:
    """Messages are read as the generated code does, which checks nothing."""
    patch.setattr(frames, "decode_answer", lambda frame: (PluginResponse.GetRootAs(frame).Cookie(), None))


@pytest.mark.parametrize(("plant", "error"), [(forget_the_limit, AssertionError), (trust_the_message, struct.error)])
def test_a_reader_without_bounds_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader of frames or messages that does not check lengths is found within seconds, and the attack is named."""
    plant(monkeypatch)
    with pytest.raises(error) as found:
        repeat(frames.attack, "1", 20)
    assert "of seed 1" in found.value.__notes__[0]
