"""Work that must end in time, although the calls it is made of only know limits of their own."""

from __future__ import annotations

from collections.abc import Callable
from threading import TIMEOUT_MAX, Thread
from typing import TypeVar

Result = TypeVar("Result")


def begin(act: Callable[[], Result]) -> Callable[[float | None], Result]:
    """Start the work in the background; the function returned waits up to so many seconds (None: for ever) for its end.

    That function returns or raises what the work does, or raises TimeoutError. Work that nobody waits for any longer
    ends with the program; it must not touch what belongs to the caller.
    """
    from queue import Empty, SimpleQueue  # slow to import, and few commands need it

    outcomes: SimpleQueue[Callable[[], Result]] = SimpleQueue()

    def run() -> None:
        try:
            result = act()
        except BaseException as exc:  # noqa: BLE001  # raised again where the outcome is waited for
            error = exc

            def outcome() -> Result:
                raise error
        else:

            def outcome() -> Result:
                return result

        outcomes.put(outcome)

    def wait(seconds: float | None) -> Result:
        try:
            outcome = outcomes.get(timeout=None if seconds is None else min(seconds, TIMEOUT_MAX))
        except Empty:
            raise TimeoutError from None
        return outcome()

    Thread(target=run, daemon=True).start()
    return wait
