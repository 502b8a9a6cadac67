"""Puts together what works on tasks in a service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from wfx.config.tunables import Derived, Holder, Tunables
from wfx.store.protocol import Store
from wfx.tasks import mail, webhook
from wfx.tasks.attempt import Attempts
from wfx.tasks.counts import TaskCounts
from wfx.tasks.hastening import hasten_all
from wfx.tasks.mail import Mails
from wfx.tasks.performing import Perform
from wfx.tasks.runner import Admit, TaskRunner
from wfx.tasks.runners import TaskRunners
from wfx.tasks.settings import mail_settings, webhook_settings
from wfx.tasks.webhook import Webhooks

_WAITING_AT_ONCE = 16
"""Tasks of those that wait for limits that are tried at once."""


class Work(NamedTuple):
    """What does tasks of a kind."""

    perform: Perform
    longest: float = 0.0
    """Seconds that an attempt takes at most, if that is more than webhooks and mails take."""


def open_tasks(
    store: Store,
    tunables: Holder[Tunables],
    counts: TaskCounts,
    at_most: Callable[[], int],
    wait: Admit,
    others: Mapping[str, Work],
    waiting: Mapping[str, Perform],
    look: Callable[[], float],
) -> TaskRunners:
    """Return what sends webhooks and mails, and does other kinds of tasks, woken when some are written.

    Each kind has a runner of its own, with ``at_most()`` places, so what is slow holds up no other kind. Those that are
    ``waiting`` for limits of their own have one together, which looks for tasks every ``look()`` seconds. Raises
    ValueError for wrong settings.
    """
    webhooks, mails = Derived(tunables, webhook_settings), Derived(tunables, mail_settings)
    works = {
        webhook.KIND: Work(Webhooks(lambda: webhooks.current).perform),
        mail.KIND: Work(Mails(lambda: mails.current).perform),
        **others,
    }
    attempts = Attempts(store, counts=counts)
    runners = TaskRunners(
        counts,
        *(
            TaskRunner(store, {kind: work.perform}, attempts, at_most=at_most, wait=wait, longest=work.longest)
            for kind, work in works.items()
        ),
        TaskRunner(store, waiting, attempts, at_most=lambda: _WAITING_AT_ONCE, look=look, hasten=hasten_all),
    )
    store.watch_tasks(runners.wake)
    return runners
