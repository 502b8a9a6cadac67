"""Mails: sends a text by SMTP."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from wfx.domain.json import decode
from wfx.mail_address import is_address
from wfx.rules.own_actions import MAIL
from wfx.store.rule_records import Task
from wfx.tasks.performing import CannotBeDone, TryAgain
from wfx.tasks.signing import webhook_id

if TYPE_CHECKING:
    import aiosmtplib

KIND = MAIL
DEADLINE = 15.0
"""Seconds in which the server has to take a mail."""
_MOST_RECIPIENTS = 100
_MOST_TOLD = 3
"""Recipients that were refused and are named."""
_LONGEST_SUBJECT = 500
_LONGEST_TEXT = 1024 * 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Which server takes mails, and from whom they are."""

    host: str = ""
    """Empty if there is none."""
    port: int = 587
    tls: str = "starttls"
    """``starttls``, ``tls`` or ``none``."""
    user: str = ""
    password: str = ""
    sender: str = ""


class Mails:
    """Performs tasks that are mails."""

    def __init__(self, settings: Callable[[], MailSettings]) -> None:
        """Look at the settings at each attempt."""
        self._settings = settings
        self._trust: ssl.SSLContext | None = None

    async def perform(self, task: Task) -> str:
        """Hand it to the server; who takes it once has all of it. Raises as Perform says."""
        settings = self._settings()
        if not settings.host:
            raise CannotBeDone("there is no server for mails: give one by --smtp-host")
        import aiosmtplib  # only who sends mails needs it

        message = _message_of(decode(task.input), settings, webhook_id(task.key))
        if self._trust is None and settings.tls != "none":
            self._trust = await asyncio.to_thread(ssl.create_default_context)
        try:
            async with asyncio.timeout(DEADLINE):
                refused, _ = await aiosmtplib.send(
                    message, hostname=settings.host, port=settings.port, username=settings.user or None,
                    password=settings.password or None, use_tls=settings.tls == "tls",
                    start_tls=settings.tls == "starttls", timeout=DEADLINE, tls_context=self._trust,
                    local_hostname=socket.gethostname(),
                )  # fmt: skip
        except TimeoutError as exc:
            raise TryAgain(f"the server for mails has not taken it within {DEADLINE:g} s") from exc
        except aiosmtplib.SMTPRecipientsRefused as exc:
            codes = [each.code for each in exc.recipients]
            raise (CannotBeDone if min(codes) >= 500 else TryAgain)(
                f"all recipients were refused ({codes[0]})"
            ) from exc
        except aiosmtplib.SMTPResponseException as exc:
            is_final = isinstance(exc, aiosmtplib.SMTPDataError) and exc.code >= 500
            raise (CannotBeDone if is_final else TryAgain)(f"the server for mails answered {exc.code}") from exc
        except (aiosmtplib.SMTPException, OSError) as exc:
            raise TryAgain(f"the server for mails cannot be used: {str(exc) or type(exc).__name__}") from exc
        return f"taken by {settings.host}" + _told(refused)


def _told(refused: Mapping[str, aiosmtplib.SMTPResponse]) -> str:
    """Say which recipients were refused, if any were."""
    first = [f"{address} ({answer.code})" for address, answer in islice(refused.items(), _MOST_TOLD)]
    more = f" and {len(refused) - len(first)} more" if len(refused) > len(first) else ""
    return f", but not for {', '.join(first)}{more}" if first else ""


def _message_of(wanted: Any, settings: MailSettings, message_id: str) -> EmailMessage:
    """Make the mail. Raises CannotBeDone."""
    if not isinstance(wanted, dict):
        raise CannotBeDone("what is to be sent is no object with to, subject and text")
    recipients, subject, text = (wanted.get(name) for name in ("to", "subject", "text"))
    if not isinstance(recipients, list) or not 0 < len(recipients) <= _MOST_RECIPIENTS:
        raise CannotBeDone(f"a mail has one to {_MOST_RECIPIENTS} recipients")
    for number, each in enumerate(recipients, 1):
        if not isinstance(each, str) or not is_address(each):
            raise CannotBeDone(f"recipient {number} is no address such as night-shift@example.com")
    if not isinstance(text, str):
        raise CannotBeDone("a mail needs a text")
    if not isinstance(subject, str) or len(subject) > _LONGEST_SUBJECT or _CONTROL.search(subject):
        raise CannotBeDone(f"a mail needs a subject, one line of at most {_LONGEST_SUBJECT} characters")
    message = EmailMessage(SMTP_POLICY)
    try:
        message["From"] = settings.sender
        message["To"] = ", ".join(recipients)
        message["Subject"] = subject
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = f"<{message_id}@{settings.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text[:_LONGEST_TEXT])
    except (MessageError, ValueError) as exc:
        raise CannotBeDone(f"the mail cannot be written: {exc}") from exc
    return message
