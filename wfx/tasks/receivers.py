"""Receivers of attempts: a slow one takes a part of the places alone, and leaves the others to others."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from wfx.rules.own_actions import MAIL, RUN_STEP, WEBHOOK_NOTIFY
from wfx.store.rule_records import Task
from wfx.tasks.shown import input_of, target_of

_SLOW = 1.0
"""Seconds after which an attempt has a slow receiver."""
_SLOW_PART, _PART = 4, 2
"""Of so many places one may be taken by a slow receiver, and by any."""
_LONGEST = 60.0
"""Seconds for which a task is put off at most: the receiver may be quick again."""
_HELD = 0.1
"""Seconds until it is looked again whether a receiver has a free place, or is slow."""


class Permit(NamedTuple):
    """Whether an attempt may begin."""

    hold: float = 0.0
    """Seconds to wait at most for an attempt to end before asking again; 0 if it may begin, or is put off."""
    put_off: float = 0.0
    """Seconds for which the task is put off; 0 if it is not."""


class Receivers:
    """Attempts that run, by their receivers."""

    def __init__(self, at_most: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        """Share out so many places."""
        self._at_most = at_most
        self._clock = clock
        self._running: dict[str, dict[int, float]] = {}
        """When each task was begun, by receiver and number."""
        self._names: dict[int, str] = {}
        self._put_off = Counter[str]()
        """How many tasks of each receiver were put off since one of them was begun."""

    def permit_for(self, task: Task) -> Permit:
        """Tell whether an attempt may begin."""
        name = receiver_of(task)
        running: Mapping[int, float] = self._running.get(name, {})
        if not running:
            return Permit()
        age = self._clock() - min(running.values())
        is_slow = age >= _SLOW
        if len(running) < self._part(_SLOW_PART if is_slow else _PART):
            return Permit()
        if not is_slow:
            return Permit(hold=_HELD)
        self._put_off[name] += 1
        return Permit(put_off=min(self._put_off[name] * age / self._part(_SLOW_PART), _LONGEST))

    def begin(self, task: Task) -> None:
        """Note that an attempt begins."""
        if name := receiver_of(task):
            self._names[task.id] = name
            self._running.setdefault(name, {})[task.id] = self._clock()
            self._put_off.pop(name, None)

    def end(self, task: Task) -> None:
        """Note that it has ended."""
        if (name := self._names.pop(task.id, None)) is not None:
            del self._running[name][task.id]
            if not self._running[name]:
                del self._running[name]

    def _part(self, part: int) -> int:
        return max(self._at_most() // part, 1)


def receiver_of(task: Task) -> str:
    """Name who is connected to for a task, or which step is run; empty for nobody."""
    if task.kind == MAIL:
        return MAIL  # all mails go to one server
    if task.kind == RUN_STEP:
        return f"step {input_of(task).get('step')}"
    return target_of(task) if task.kind == WEBHOOK_NOTIFY else ""
