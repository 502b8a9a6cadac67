#!/usr/bin/env python3
"""Ties devices to their own jobs: for the south side, as the last plugin that may let a request pass.

Who a device is comes from ONE of two places, never from X-Client-Id, which anybody can send and SWUpdate leaves out
on its second connection:

* ``identity_header``: a header that a TLS gateway sets from the client certificate. Only safe if the gateway
  removes it from what devices send, and if nobody reaches the south side but through the gateway.
* ``tokens``: ``Authorization: Bearer TOKEN``; the file maps the SHA-256 of each token, in hex, to a client id.
  SWUpdate sends it on both connections if its configuration says ``auth_token = "Authorization: Bearer TOKEN"``; it
  sends it to the hosts of artefacts, too.

A device then may read health, version, the API documents, workflows and downloads, list and follow its own jobs
(queries are narrowed to them), and read and update its own jobs. Everything else is denied, also jobs that do not
exist, so that nobody can find out which do. To whom a job belongs is asked on the north side, and remembered for a
minute: that never changes while the job exists. What a look-up may cost is bounded, whatever a device asks for and
however the north side answers: its time from beginning to end, the bytes of its answer, how many there are at a time,
and how many of them one device has. Devices whose jobs are known already never wait for the look-ups of others.

The file is named by AUTH_CONFIG, /etc/wfx/auth.json if unset, and is read again when it changes.
"""

import asyncio
import hashlib
import http.client
import json
import logging
import os
import re
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from wfx_plugin import PASS, Action, Decision, Modify, Request, Respond, run_async

BASE = ("api", "wfx", "v1")
# SWUpdate stops if the API's document is refused, so the documents are for everybody.
PUBLIC = {
    ("",), ("health",), ("version",), ("swagger.json",),
    (*BASE, "health"), (*BASE, "version"), (*BASE, "openapi.json"), (*BASE, "swagger.json"),
}  # fmt: skip
EVENT_PARAMETERS = {"clientIds", "actions", "tags", "since"}
"""Filters of the event stream add up, so jobIds and workflows would show other devices' jobs."""
READ_OR_UPDATE = {Action.READ, Action.UPDATE}
NOT_FOR_DEVICES = Respond.deny("devices may not do this\n")
NOT_THEIR_JOB = Respond.deny("this is not a job of the device\n")
JOB_ID = re.compile(r"[A-Za-z0-9_.-]{1,36}")
EVENTS = "events"
"""No job has this id: who asks for it gets the stream of all events, which has no end."""
LONGEST_DESTINATION = 4_096
LOOKUP_TIMEOUT = 5.0
"""Seconds for a whole look-up, with the wait for its turn."""
LONGEST_ANSWER = 16_384
LOOKUPS_AT_A_TIME, LOOKUPS_WAITING, LOOKUPS_OF_A_DEVICE = 16, 256, 4
REMEMBERED, REMEMBER_FOR = 10_000, 60.0

log = logging.getLogger("auth")


@dataclass(frozen=True)
class Config:
    """What the file says."""

    north: str
    identity_header: str | None = None
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what would be ambiguous."""
        if bool(self.identity_header) == bool(self.tokens):
            raise ValueError("give either identity_header or tokens")

    def client_of(self, request: Request) -> str | None:
        """Give the client id of whoever sent the request, None if that is not beyond doubt."""
        values = request.values(self.identity_header or "Authorization")
        if len(values) != 1:
            return None
        if self.identity_header:
            client: str | None = values[0].strip()
        else:
            scheme, _, token = values[0].partition(" ")
            digest = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).hexdigest()
            client = self.tokens.get(digest) if scheme.lower() == "bearer" else None
        # Lists of client ids are comma-separated in queries: one with a comma would name two devices.
        return client if client and "," not in client else None


class ConfigFile:
    """The configuration as it stands in the file; a broken file leaves the last sound one in force."""

    def __init__(self, path: Path) -> None:
        """Read the file; raise OSError, ValueError or TypeError if it is no use."""
        self._path = path
        self._stamp = self._stat()
        self._config = Config(**json.loads(path.read_text()))

    def _stat(self) -> tuple[int, int, int]:
        status = self._path.stat()
        return status.st_mtime_ns, status.st_size, status.st_ino

    def current(self) -> Config:
        """Read the file again if it has changed."""
        try:
            stamp = self._stat()
            if stamp != self._stamp:
                self._stamp = stamp
                self._config = Config(**json.loads(self._path.read_text()))
                log.info("configuration read again")
        except (OSError, ValueError, TypeError) as exc:
            log.error("configuration kept as it was: %s", exc)  # noqa: TRY400 - one line is enough
        return self._config


class Owners:
    """Knows to which client a job belongs."""

    def __init__(self, north: str) -> None:
        """Ask ``north`` (``http://HOST:PORT`` or ``unix:PATH``)."""
        self._north = urlsplit(north)
        self._turns = asyncio.Semaphore(LOOKUPS_AT_A_TIME)
        self._asking: Counter[str] = Counter()
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()

    async def owner_of(self, job_id: str, client: str) -> str | None:
        """Give the client id of a job, None if there is no such job; raise OSError if that cannot be told now.

        The look-up is charged to ``client``, who is the one that wants to know.
        """
        owner, until = self._known.get(job_id, ("", 0.0))
        if time.monotonic() < until:
            return owner
        if self._asking[client] >= LOOKUPS_OF_A_DEVICE or self._asking.total() >= LOOKUPS_WAITING:
            raise OSError("too many look-ups at a time")
        self._asking[client] += 1
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT), self._turns:
                asked = await self._ask(job_id)
        finally:
            self._asking[client] -= 1
            if not self._asking[client]:
                del self._asking[client]
        self._remember(job_id, asked)
        return asked

    def _remember(self, job_id: str, owner: str | None) -> None:
        self._known.pop(job_id, None)
        if owner is not None:
            self._known[job_id] = (owner, time.monotonic() + REMEMBER_FOR)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    async def _ask(self, job_id: str) -> str | None:
        """Ask by a connection of its own, which ends with the answer."""
        reader, writer = await self._connect()
        try:
            path = "/".join(("", *BASE, "jobs", job_id))
            host = self._north.netloc or "localhost"
            fields = f"Host: {host}\r\nX-Response-Filter: .clientId\r\nConnection: close\r\n"
            writer.write(f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode())
            await reader.readexactly(LONGEST_ANSWER + 1)
        except asyncio.IncompleteReadError as ended:
            return _owner_in(ended.partial)
        finally:
            writer.transport.abort()
        raise OSError(f"north answered with more than {LONGEST_ANSWER} bytes")

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._north.scheme == "unix":
            return await asyncio.open_unix_connection(self._north.path)
        return await asyncio.open_connection(self._north.hostname, self._north.port or 80)


class Received:
    """What came by a connection, for a reader of HTTP that wants a socket."""

    def __init__(self, received: bytes) -> None:
        """Hold these bytes."""
        self._received = received

    def makefile(self, _mode: str) -> BytesIO:
        """Give them as a file."""
        return BytesIO(self._received)


def _owner_in(received: bytes) -> str | None:
    response = http.client.HTTPResponse(Received(received))  # type: ignore[arg-type] # makefile is all it needs
    response.begin()
    if response.status == 404:
        return None
    if response.status != 200:
        raise OSError(f"north answered {response.status}")
    owner = json.loads(response.read())
    return owner if isinstance(owner, str) else None


async def decide(request: Request, file: ConfigFile, owners: Owners) -> Decision:
    """Let a request pass only if it stays within what its sender owns."""
    if len(request.destination) > LONGEST_DESTINATION:
        return Respond.deny("the path and query are too long\n")
    if request.action == Action.READ and request.segments in PUBLIC:
        return PASS
    client = file.current().client_of(request)
    if client is None:
        return Respond.deny("the device is not known\n")
    if not all(request.segments) or {".", ".."} & set(request.segments) or "/" in "".join(request.segments):
        return Respond.deny("the path is not in its plain form\n")
    return await _within_own(request, client, owners)


async def _within_own(request: Request, client: str, owners: Owners) -> Decision:
    reading = request.action == Action.READ
    match request.segments:
        case ("api", "wfx", "v1", "workflows") | ("api", "wfx", "v1", "workflows", _) | ("download", *_) if reading:
            return PASS
        case ("api", "wfx", "v1", "jobs") if reading:
            return _narrowed(request, "clientId", client, None)
        case ("api", "wfx", "v1", "jobs", "events") if reading:
            return _narrowed(request, "clientIds", client, EVENT_PARAMETERS)
        case ("api", "wfx", "v1", "jobs", job_id) if reading:
            return await _own(job_id, client, owners)
        case ("api", "wfx", "v1", "jobs", job_id, "status" | "definition" | "tags") if request.action in READ_OR_UPDATE:
            return await _own(job_id, client, owners)
    return NOT_FOR_DEVICES


def _narrowed(request: Request, name: str, client: str, allowed: set[str] | None) -> Decision:
    """Write the query anew, limited to this client: so the server reads exactly what was checked here."""
    parameters = parse_qsl(request.destination.partition("?")[2], keep_blank_values=True)
    if allowed is not None and not {key for key, _ in parameters} <= allowed:
        return Respond.deny("devices may only ask for their own events\n")
    given = [value for key, value in parameters if key == name]
    if any(value != client for value in given):
        return Respond.deny("devices may only ask for their own jobs\n")
    if not given:
        parameters.append((name, client))
    destination = f"{request.path}?{urlencode(parameters)}"
    return PASS if destination == request.destination else Modify(destination)


async def _own(job_id: str, client: str, owners: Owners) -> Decision:
    if job_id == EVENTS or not JOB_ID.fullmatch(job_id):
        return NOT_THEIR_JOB
    try:
        owner = await owners.owner_of(job_id, client)
    except (OSError, ValueError, http.client.HTTPException) as exc:
        reason = str(exc) or "it takes too long"
        log.error("cannot look up job %s for %s: %s", job_id, client, reason)  # noqa: TRY400 - one line is enough
        return Respond.unavailable("the owner of the job cannot be determined at present\n")
    return PASS if owner == client else NOT_THEIR_JOB


def main() -> None:
    """Decide on many requests at a time, so that a slow north side does not hold up what needs no looking up."""
    file = ConfigFile(Path(os.environ.get("AUTH_CONFIG", "/etc/wfx/auth.json")))
    run_async(partial(decide, file=file, owners=Owners(file.current().north)))


if __name__ == "__main__":
    main()
