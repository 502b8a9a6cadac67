"""Mails come as they were written, and nothing else comes with them."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.certificates import Authority
from tests.tasks.working import AT_ONCE, add, attempts_of, ended, message, running
from wfx.store.memory import open_memory
from wfx.store.protocol import Store
from wfx.store.rule_records import Task, TaskState
from wfx.tasks.mail import KIND, Mails, MailSettings
from wfx.tasks.retry_plan import RetryPlan

GIVEN = {"to": ["night-shift@example.com"], "subject": "press-7 fällt aus", "text": "Job 1\n.\nging von A nach B. ☃\n"}
SENDER = "wfx@example.com"


@dataclass
class Post:
    """What an SMTP server has taken, and what it answers."""

    port: int = 0
    mails: list[Envelope] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """To mails, one after the other; then each is taken."""
    refused: tuple[str, ...] = ()
    """Recipients."""
    logins: list[LoginPassword] = field(default_factory=list)

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:  # noqa: N802
        """Take a recipient."""
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail."""
        if self.answers:
            return self.answers.pop(0)
        self.mails.append(envelope)
        return "250 OK"

    def login(self, *given: Any) -> AuthResult:
        """Let jane in."""
        self.logins.append(given[-1])
        return AuthResult(handled=False, success=given[-1].login == b"jane" and given[-1].password == b"s3cret pass")

    @property
    def parsed(self) -> list[EmailMessage]:
        """The mails, read."""
        found: list[Any] = [
            message_from_bytes(each.original_content or b"", policy=policy.default) for each in self.mails
        ]
        return found


@contextmanager
def closing(server: asyncio.Server) -> Iterator[None]:
    """Close a server in the end."""
    try:
        yield
    finally:
        server.close()


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """A store in memory."""
    found = await open_memory()
    yield found
    await found.close()


async def sent(
    store: Store,
    given: Any,
    post: Post,
    *,
    mode: str = "none",
    context: ssl.SSLContext | None = None,
    plan: RetryPlan = AT_ONCE,
    **settings: Any,
) -> Task:
    """Run one mail to its end; the server speaks TLS if it has a context."""
    options: dict[str, Any] = {"authenticator": post.login, "auth_require_tls": False, "hostname": "post.example"}
    if mode == "starttls":
        options |= {"tls_context": context}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(post, **options), "127.0.0.1", 0, ssl=context if mode == "tls" else None
    )
    with closing(server):
        port = server.sockets[0].getsockname()[1]
        found = MailSettings(**{"host": "localhost", "port": port, "sender": SENDER, "tls": mode} | settings)
        await add(store, ("log-7/mail", KIND, given))
        async with running(store, {KIND: Mails(lambda: found).perform}, plan=plan):
            return await ended(store)


async def test_a_mail_arrives(store: Store) -> None:
    """Recipients, subject and text come as they were written, and the mail says that a program has sent it."""
    post = Post()
    task = await sent(store, GIVEN, post)
    assert (task.state, message(task)) == (TaskState.DONE, "taken by localhost")
    (mail,) = post.parsed
    assert (mail["Subject"], mail["To"], mail["From"]) == (GIVEN["subject"], "night-shift@example.com", SENDER)
    assert mail.get_content().replace("\r\n", "\n") == GIVEN["text"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert (post.mails[0].mail_from, post.mails[0].rcpt_tos) == (SENDER, GIVEN["to"])


async def test_a_mail_is_tried_again_under_one_id(store: Store) -> None:
    """A server that has no time gets the mail later, and each attempt has the same Message-ID."""
    post = Post(answers=["451 later", "452 later"])
    task = await sent(store, GIVEN, post)
    assert (task.state, attempts_of(task)) == (TaskState.DONE, 3)
    (mail,) = post.parsed
    assert mail["Message-ID"].startswith("<msg_")
    other = await open_memory()
    again = Post()
    await sent(other, GIVEN, again)
    assert again.parsed[0]["Message-ID"] == mail["Message-ID"]
    await other.close()


async def test_a_mail_that_is_refused_for_good(store: Store) -> None:
    """A server that takes the recipients and refuses the mail for good, as one that is too large, is asked once."""
    task = await sent(store, GIVEN, Post(answers=["552 too large"]))
    assert (task.state, attempts_of(task), message(task)) == (TaskState.FAILED, 1, "the server for mails answered 552")


@pytest.mark.parametrize("changes", [
    {"subject": "a\r\nBcc: eve@example.com"}, {"subject": "a\nX-Evil: 1"}, {"subject": "a\r"},
    {"to": ["a@example.com\r\nBcc: eve@example.com"]}, {"to": ["a@example.com, eve@example.com"]},
    {"to": ["Eve <eve@example.com>"]}, {"to": ["a@example.com>\r\nRCPT TO:<eve@example.com"]}, {"to": ["a"]},
    {"to": []}, {"to": ["ü@example.com"]}, {"to": [7]}, {"to": "a@example.com"}, {"to": ["a@example.com"] * 101},
    {"subject": "a" * 501}, {"subject": None}, {"text": None}, {"to": None}, {"to": ["a" * 65 + "@example.com"]},
])  # fmt: skip
async def test_what_cannot_be_sent(store: Store, changes: dict[str, Any]) -> None:
    """What would add a line to the header, or a recipient, is never sent, and the task fails at its first attempt."""
    post = Post()
    task = await sent(store, GIVEN | changes, post)
    assert (task.state, attempts_of(task), post.mails) == (TaskState.FAILED, 1, [])


async def test_the_header_stays_small(store: Store) -> None:
    """The header of the largest mail has short lines, and less than 32 KiB."""
    post = Post()
    most = {"to": [f"{'a' * 60}{n:03}@example.com" for n in range(100)], "subject": "☃" * 500, "text": "x" * 2_000_000}
    task = await sent(store, most, post)
    assert task.state is TaskState.DONE
    head, _, body = (post.mails[0].original_content or b"").partition(b"\r\n\r\n")
    assert len(head) < 32_768
    assert max(map(len, head.split(b"\r\n"))) < 998
    assert len(body) < 1_100_000


@pytest.mark.parametrize("mode", ["tls", "starttls"])
async def test_tls(store: Store, mode: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS, from the start or after STARTTLS, the mail comes, and the login with it."""
    authority = Authority(tmp_path)
    shown = authority.sign("server", names="DNS:localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.certificate, shown.key)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    post = Post()
    task = await sent(store, GIVEN, post, mode=mode, context=context, user="jane", password="s3cret pass")
    assert (task.state, len(post.mails)) == (TaskState.DONE, 1)
    assert post.logins[0].login == b"jane"


async def test_a_stranger_gets_no_mail(store: Store, tmp_path: Any) -> None:
    """A server with a certificate that nobody vouches for gets neither password nor mail."""
    shown = Authority(tmp_path).sign("server", names="DNS:localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.certificate, shown.key)
    post = Post()
    task = await sent(store, GIVEN, post, mode="tls", context=context, user="jane", password="s3cret pass")
    assert (task.state, post.mails, post.logins) == (TaskState.FAILED, [], [])
    assert "certificate" in message(task)


async def test_a_server_without_starttls(store: Store) -> None:
    """Where STARTTLS is wanted and not offered nothing is sent."""
    post = Post()
    task = await sent(store, GIVEN, post, mode="starttls")
    assert (task.state, post.mails) == (TaskState.FAILED, [])


async def test_a_wrong_password(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """A refused login is tried again as the plan says; no message has the password."""
    post = Post()
    task = await sent(store, GIVEN, post, user="jane", password="wr0ng", plan=RetryPlan((0.0,)))
    assert (task.state, message(task)) == (TaskState.FAILED, "the server for mails answered 535")
    assert post.logins
    told = message(task) + caplog.text
    assert "wr0ng" not in told
    assert base64.b64encode(b"\0jane\0wr0ng").decode() not in told


async def test_refused_recipients(store: Store) -> None:
    """If all recipients are refused for good the task has failed; if some are, the others have the mail."""
    to = ["a@example.com", "b@example.com"]
    post = Post(refused=("a@example.com",))
    task = await sent(store, GIVEN | {"to": to}, post)
    assert message(task) == "taken by localhost, but not for a@example.com (550)"
    assert post.mails[0].rcpt_tos == ["b@example.com"]
    many = [f"{number}@example.com" for number in range(6)]
    other = await open_memory()
    task = await sent(other, GIVEN | {"to": many}, Post(refused=tuple(many[1:])))
    assert message(task).endswith("not for 1@example.com (550), 2@example.com (550), 3@example.com (550) and 2 more")
    await other.close()
    other = await open_memory()
    task = await sent(other, GIVEN | {"to": to}, Post(refused=tuple(to)))
    assert (task.state, message(task)) == (TaskState.FAILED, "all recipients were refused (550)")
    await other.close()


async def test_without_a_server(store: Store) -> None:
    """Without a server for mails the task fails, and says which option is missing."""
    task = await sent(store, GIVEN, Post(), host="")
    assert (task.state, message(task)) == (
        TaskState.FAILED, "there is no server for mails: give one by --smtp-host",
    )  # fmt: skip
