"""Bytes that plugins might write, to what reads them: frames or FrameError, decisions or MessageError, nothing else."""

from __future__ import annotations

import random
import struct

from tests.fuzz.mutation import mutated
from wfx.plugin.decode import decode_answer
from wfx.plugin.errors import FrameError, MessageError
from wfx.plugin.frame import FrameDecoder
from wfx_plugin import model, wire

LIMIT = 4096
_REQUEST = model.Request("/x", model.Action.READ, {"Accept": ["a", "b"]}, b"body")
SAMPLES = [
    wire.write_answer(7, _REQUEST, model.PASS),
    wire.write_answer(8, _REQUEST, model.Modify(destination="/y", headers={"A": ["1", "2"], "B": []}, body=b"other")),
    wire.write_answer(9, _REQUEST, model.Respond(model.Status.DENY, b"no", {"Content-Type": ["text/plain"]})),
]
TOKENS = [struct.pack("<I", number) for number in (0, 1, 4, 5, 8, 64, 255, 4096, 4097, 2**31 - 1, 2**31, 2**32 - 1)]


def attack(chance: random.Random) -> bytes:
    """Feed some bytes in some pieces; return the bytes. Raises AssertionError, or what should not have been raised."""
    data = b"".join(mutated(chance, SAMPLES, TOKENS) for _ in range(chance.choice((1, 1, 3))))
    decoder, at = FrameDecoder(LIMIT), 0
    try:
        while at < len(data):
            piece = data[at : at + chance.choice((1, 7, 100, 5000))]
            at += len(piece)
            for frame in decoder.feed(piece):
                assert len(frame) <= LIMIT, data
                _decode(frame)
    except FrameError:
        pass
    return data


def _decode(frame: bytes) -> None:
    try:
        cookie, _ = decode_answer(frame)
    except MessageError:
        return
    assert 0 <= cookie < 2**64, frame
