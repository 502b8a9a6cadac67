"""Puts together what works on tasks in a service."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wfx.config.tunables import Derived, Holder, Tunables
from wfx.store.protocol import Store
from wfx.tasks import mail, webhook
from wfx.tasks.attempt import Attempts
from wfx.tasks.mail import Mails
from wfx.tasks.performing import Perform
from wfx.tasks.runner import Admit, TaskRunner
from wfx.tasks.settings import mail_settings, webhook_settings
from wfx.tasks.webhook import Webhooks


def open_tasks(
    store: Store,
    tunables: Holder[Tunables],
    at_most: Callable[[], int],
    wait: Admit,
    others: Mapping[str, Perform],
    longest: float,
) -> TaskRunner:
    """Return what sends webhooks and mails, and does other kinds of tasks, woken when some are written.

    No attempt takes more than ``longest`` seconds. Raises ValueError for wrong settings.
    """
    webhooks, mails = Derived(tunables, webhook_settings), Derived(tunables, mail_settings)
    performs = {
        webhook.KIND: Webhooks(lambda: webhooks.current).perform,
        mail.KIND: Mails(lambda: mails.current).perform,
        **others,
    }
    runner = TaskRunner(store, performs, Attempts(store), at_most=at_most, wait=wait, longest=longest)
    store.watch_tasks(runner.wake)
    return runner
