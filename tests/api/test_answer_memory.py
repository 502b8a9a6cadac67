from __future__ import annotations

import asyncio

import pytest

from wfx.api.answer_memory import PIECE, SMALL, AnswerMemory, Share, TooManyAnswers

DEADLINE = 60.0


async def test_room_is_given_in_turn() -> None:
    """Whoever asked first for more than there is gets it first; an answer larger than everything is let in alone."""
    memory = AnswerMemory(limit=100, patience=DEADLINE)
    shares = [Share(memory, lambda: None) for _ in range(4)]
    assert shares[0].try_hold(80)
    waiting = [asyncio.create_task(share.hold(size)) for share, size in zip(shares[1:], (50, 500, 10), strict=True)]
    await asyncio.sleep(0)
    assert not Share(memory, lambda: None).try_hold(1), "it would overtake"
    shares[0].release()
    await waiting[0]
    assert (memory.held, waiting[1].done(), waiting[2].done()) == (50, False, False)
    shares[1].release()
    await waiting[1]
    assert memory.held == 500
    shares[2].release()
    await waiting[2]
    waiting.append(asyncio.create_task(shares[0].hold(95)))
    await asyncio.sleep(0)
    waiting[3].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert shares[1].try_hold(90), "who left does not wait any more"
    assert memory.held == 100


async def test_what_is_kept_of_earlier_pieces_counts() -> None:
    """An answer that keeps its earlier pieces holds room for these too, whether it has to wait for it or not."""
    memory = AnswerMemory(limit=100, patience=DEADLINE)
    first, second = (Share(memory, lambda: None) for _ in range(2))
    assert first.try_hold(50)
    second.kept = 20
    assert second.try_hold(30)
    assert memory.held == 100
    waiting = asyncio.create_task(second.hold(40))
    await asyncio.sleep(0)
    assert (memory.held, waiting.done()) == (50, False)
    first.release()
    await waiting
    assert memory.held == 60


async def test_too_many_do_not_wait() -> None:
    """Where hundreds wait already, the next is refused at once."""
    memory = AnswerMemory(limit=100, patience=DEADLINE)
    first = Share(memory, lambda: None)
    assert first.try_hold(100)
    waiting = [asyncio.create_task(Share(memory, lambda: None).hold(PIECE)) for _ in range(256)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyAnswers):
        await Share(memory, lambda: None).hold(SMALL)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
