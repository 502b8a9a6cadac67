"""Services with rules in processes of their own, what receives their webhooks and mails, and what asks them."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.reactions.ruled_service import STORAGES, storage_options
from tests.waiting import DEADLINE
from wfx import spec_files
from wfx.demo.local import LocalService

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WORKFLOW = "wfx.workflow.dau.direct"
_WFX = "/api/wfx/v1"
ON_EACH_STORE = pytest.mark.parametrize("storage", STORAGES)


class Ruled:
    """A service with rules, and what asks it."""

    def __init__(self, service: LocalService, client: httpx.AsyncClient) -> None:
        """Ask this one."""
        self.service = service
        self.client = client

    async def get(self, path: str, **query: Any) -> Any:
        """Read something of the northbound side."""
        answer = await self.client.get(path, params=query, headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def tell(self, *, request_id: str = "", **event: Any) -> httpx.Response:
        """Tell of an event."""
        headers = {"X-Request-Id": request_id} if request_id else {}
        return await self.client.post("/v1/events", json=event, headers=headers)

    async def store_workflow(self) -> None:
        """Store the workflow of updates."""
        document = yaml.safe_load(spec_files.find(f"workflows/{WORKFLOW}.yml").read_bytes())
        assert (await self.client.post(f"{_WFX}/workflows", json=document)).status_code == 201

    async def create(self, client_id: str) -> str:
        """Create a job."""
        answer = await self.client.post(f"{_WFX}/jobs", json={"clientId": client_id, "workflow": WORKFLOW})
        assert answer.status_code == 201, answer.text
        job_id: str = answer.json()["id"]
        return job_id

    async def fail(self, job_id: str, request_id: str) -> None:
        """Let the device report that its update failed."""
        url = f"{self.service.south}{_WFX}/jobs/{job_id}/status"
        answer = await self.client.put(url, json={"state": "TERMINATED"}, headers={"X-Request-Id": request_id})
        assert answer.status_code == 200, answer.text

    async def jobs(self, **query: Any) -> list[dict[str, Any]]:
        """Return jobs."""
        found: list[dict[str, Any]] = (await self.get(f"{_WFX}/jobs", limit=1000, **query))["content"]
        return found

    async def tasks(self, **query: Any) -> list[dict[str, Any]]:
        """Return the first thousand tasks, in order."""
        found: list[dict[str, Any]] = (await self.get("/v1/tasks", limit=1000, **query))["content"]
        return found

    async def tasks_in(self, state: str, count: int, **query: Any) -> list[dict[str, Any]]:
        """Wait until so many tasks are in a state, and return them."""
        found: list[dict[str, Any]] = await self.soon(
            lambda: self.tasks(state=state, **query), lambda found: len(found) == count
        )
        return found

    async def limits(self) -> list[dict[str, Any]]:
        """Return how the limits are."""
        found: list[dict[str, Any]] = (await self.get("/v1/limits"))["content"]
        return found

    async def have_limits_read(self, way: str) -> None:
        """Have the limits of the file read again: by a ``reload``, or a start after kill -9."""
        if way == "reload":
            self.service.process.send_signal(signal.SIGHUP)  # type: ignore[union-attr]
        else:
            await asyncio.to_thread(self.service.stop, signal.SIGKILL)
            await asyncio.to_thread(self.service.start)

    async def soon(self, look: Callable[[], Any], is_so: Callable[[Any], bool]) -> Any:
        """Look until it is so, and return what was seen."""
        found: Any = None
        try:
            async with asyncio.timeout(DEADLINE):
                while not is_so(found := await look()):  # noqa: ASYNC110 - what is waited for is in a service
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(found) from None
        return found

    def records(self, **members: Any) -> list[dict[str, Any]]:
        """Return the log records that have these members."""
        found = [json.loads(line) for line in self.service.lines if line.startswith("{")]
        return [each for each in found if members.items() <= each.items()]

    async def wfxctl(self, *words: str) -> str:
        """Return what a command of wfxctl prints."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "wfxctl", *words, f"--mgmt-port={self.service.ports['north']}",
            cwd=self.service.folder, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        printed, _ = await process.communicate()
        assert process.returncode == 0
        return printed.decode()


def webhook_options(folder: Path) -> Sequence[str]:
    """Return options by which webhooks are signed, and may go to this machine."""
    (folder / "secret").write_text(SECRET + "\n")
    (folder / "secret").chmod(0o600)
    return (f"--webhook-secret-file={folder}/secret", "--webhook-allowed-networks=127.0.0.0/8")


@asynccontextmanager
async def ruled(
    request: pytest.FixtureRequest, storage: str, folder: Path, rules: str, *options: str, **environment: str
) -> AsyncIterator[Ruled]:
    """Run a service with these rules on a kind of storage."""
    (folder / "rules.yml").write_text(rules)
    storing = storage_options(storage, folder, request.getfixturevalue)
    service = LocalService(folder, *storing, "--rules=rules.yml", *options, environment=environment)
    await asyncio.to_thread(service.start)
    try:
        async with httpx.AsyncClient(base_url=service.north, trust_env=False, timeout=60) as client:
            yield Ruled(service, client)
    finally:
        await asyncio.to_thread(service.stop)


def altered(folder: Path, code: str) -> dict[str, str]:
    """Return an environment in which each Python runs this code before anything else."""
    (folder / "altered").mkdir()
    (folder / "altered" / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": str(folder / "altered")}


class Post:
    """Takes mails."""

    def __init__(self) -> None:
        """Begin with none."""
        self.mails: list[EmailMessage] = []
        self.port = 0

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - as aiosmtpd calls it
        """Take a mail."""
        read: Any = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        self.mails.append(read)
        return "250 OK"


@asynccontextmanager
async def post_office() -> AsyncIterator[Post]:
    """Take mails on a free port of loopback."""
    post = Post()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(post, hostname="post.example"), "127.0.0.1", 0)
    post.port = server.sockets[0].getsockname()[1]
    try:
        yield post
    finally:
        server.close()
