"""Bytes become frames, in whatever pieces they come."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfx.plugin.errors import FrameError
from wfx.plugin.frame import FrameDecoder


def framed(frames: list[bytes]) -> bytes:
    """Put the length before each frame."""
    return b"".join(len(frame).to_bytes(4, "little") + frame for frame in frames)


@given(st.lists(st.binary(max_size=50)), st.lists(st.integers(0, 300)), st.binary(max_size=3))
def test_pieces_do_not_matter(frames: list[bytes], cuts: list[int], rest: bytes) -> None:
    """However the stream is cut, the same frames come out, and an unfinished one is noticed."""
    stream = framed(frames) + rest
    decoder = FrameDecoder(limit=50)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    got = [frame for start, end in pairwise(places) for frame in decoder.feed(stream[start:end])]
    assert got == frames
    assert decoder.partial == bool(rest)


@pytest.mark.parametrize("prefix", [b"\x33\0\0\0", b"\xff\xff\xff\xff", b"oops"])
def test_frames_above_the_limit_are_refused_before_they_come(prefix: bytes) -> None:
    """A length of 51, of 4 GiB, or of text is refused as soon as it is read."""
    with pytest.raises(FrameError, match="announced a frame"):
        list(FrameDecoder(limit=50).feed(prefix))


def test_a_frame_of_the_limit() -> None:
    """A frame as long as the limit says is a frame."""
    assert list(FrameDecoder(limit=50).feed(framed([bytes(50)]))) == [bytes(50)]


@given(st.binary(max_size=200))
def test_garbage_never_does_worse_than_a_frame_error(garbage: bytes) -> None:
    """Any bytes are frames, the beginning of one, or a FrameError; what is kept is bounded by what came."""
    decoder = FrameDecoder(limit=64)
    try:
        assert sum(len(frame) + 4 for frame in decoder.feed(garbage)) <= len(garbage)
    except FrameError as exc:
        assert "announced" in str(exc)  # noqa: PT017 - not raising is right as well
