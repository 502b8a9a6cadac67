#!/usr/bin/env python3
"""Ties devices to their own jobs: for the south side, as the last plugin that may let a request pass.

Who a device is comes from ONE of two places, never from X-Client-Id, which anybody can send and SWUpdate leaves out
on its second connection:

* ``identity_header``: a header that a TLS gateway sets from the client certificate. Only safe if the gateway
  removes it from what devices send, and if nobody reaches the south side but through the gateway.
* ``tokens``: ``Authorization: Bearer TOKEN``; the file maps the SHA-256 of each token, in hex, to a client id.

A device then may read health, version, the API documents, workflows and downloads, list and follow its own jobs
(queries are narrowed to them), and read and update its own jobs. Everything else is denied, also jobs that do not
exist, so that nobody can find out which do. To whom a job belongs is asked on the north side, and remembered for a
minute: that never changes while the job exists.

The file is named by AUTH_CONFIG, /etc/wfx/auth.json if unset, and is read again when it changes.
"""

import hashlib
import http.client
import json
import logging
import os
import socket
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from wfx_plugin import PASS, Action, Decision, Modify, Request, Respond, run

BASE = ("api", "wfx", "v1")
PUBLIC = {
    ("",), ("health",), ("version",), ("swagger.json",),
    (*BASE, "health"), (*BASE, "version"), (*BASE, "openapi.json"), (*BASE, "swagger.json"),
}  # fmt: skip
EVENT_PARAMETERS = {"clientIds", "actions", "tags", "since"}
"""Filters of the event stream add up, so jobIds and workflows would show other devices' jobs."""
READ_OR_UPDATE = {Action.READ, Action.UPDATE}
NOT_FOR_DEVICES = Respond.deny("devices may not do this\n")
LOOKUP_TIMEOUT = 5.0
REMEMBERED, REMEMBER_FOR = 10_000, 60.0
LONGEST_JOB_ID = 64

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


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        """Connect to ``path`` when first used."""
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Owners:
    """Knows to which client a job belongs."""

    def __init__(self, north: str) -> None:
        """Ask ``north`` (``http://HOST:PORT`` or ``unix:PATH``), each thread by a connection of its own."""
        self.north = north
        self._local = threading.local()
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def owner_of(self, job_id: str) -> str | None:
        """Give the client id of a job, None if there is no such job; raise OSError if north cannot tell."""
        with self._lock:
            owner, until = self._known.get(job_id, ("", 0.0))
        if time.monotonic() < until:
            return owner
        asked = self._ask(job_id)
        with self._lock:
            self._known.pop(job_id, None)
            if asked is not None:
                self._known[job_id] = (asked, time.monotonic() + REMEMBER_FOR)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return asked

    def _ask(self, job_id: str) -> str | None:
        try:
            return self._exchange(job_id)
        except (http.client.HTTPException, ConnectionError):
            return self._exchange(job_id)  # a kept connection may have been closed meanwhile: once more on a new one

    def _exchange(self, job_id: str) -> str | None:
        connection = self._connection()
        try:
            path = "/" + "/".join((*BASE, "jobs", quote(job_id, safe="")))
            connection.request("GET", path, headers={"X-Response-Filter": ".clientId"})
            response = connection.getresponse()
            body = response.read()
        except BaseException:
            self._local.connection = None
            connection.close()
            raise
        if response.status == 404:
            return None
        if response.status != 200:
            raise OSError(f"north answered {response.status}")
        owner = json.loads(body)
        return owner if isinstance(owner, str) else None

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            address = urlsplit(self.north)
            if address.scheme == "unix":
                connection = UnixConnection(address.path, LOOKUP_TIMEOUT)
            else:
                connection = http.client.HTTPConnection(address.netloc, timeout=LOOKUP_TIMEOUT)
            self._local.connection = connection
        return connection


def decide(request: Request, file: ConfigFile, owners: Owners) -> Decision:
    """Let a request pass only if it stays within what its sender owns."""
    if request.action == Action.READ and request.segments in PUBLIC:
        return PASS
    client = file.current().client_of(request)
    if client is None:
        return Respond.deny("the device is not known\n")
    if not all(request.segments) or {".", ".."} & set(request.segments) or "/" in "".join(request.segments):
        return Respond.deny("the path is not in its plain form\n")
    return _within_own(request, client, owners)


def _within_own(request: Request, client: str, owners: Owners) -> Decision:
    reading = request.action == Action.READ
    match request.segments:
        case ("api", "wfx", "v1", "workflows") | ("api", "wfx", "v1", "workflows", _) | ("download", *_) if reading:
            return PASS
        case ("api", "wfx", "v1", "jobs") if reading:
            return _narrowed(request, "clientId", client, None)
        case ("api", "wfx", "v1", "jobs", "events") if reading:
            return _narrowed(request, "clientIds", client, EVENT_PARAMETERS)
        case ("api", "wfx", "v1", "jobs", job_id) if reading:
            return _own(job_id, client, owners)
        case ("api", "wfx", "v1", "jobs", job_id, "status" | "definition" | "tags"):
            return _own(job_id, client, owners) if request.action in READ_OR_UPDATE else NOT_FOR_DEVICES
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


def _own(job_id: str, client: str, owners: Owners) -> Decision:
    if len(job_id) > LONGEST_JOB_ID:
        return Respond.deny("this is not a job of the device\n")
    try:
        owner = owners.owner_of(job_id)
    except (OSError, ValueError, http.client.HTTPException) as exc:
        log.error("cannot look up job %s: %s", job_id, exc)  # noqa: TRY400 - one line is enough
        return Respond.unavailable("the owner of the job cannot be determined at present\n")
    return PASS if owner == client else Respond.deny("this is not a job of the device\n")


def main() -> None:
    """Look jobs up from eight threads, so that a slow north side does not hold up what needs no looking up."""
    file = ConfigFile(Path(os.environ.get("AUTH_CONFIG", "/etc/wfx/auth.json")))
    run(partial(decide, file=file, owners=Owners(file.current().north)), threads=8, backlog=1000)


if __name__ == "__main__":
    main()
