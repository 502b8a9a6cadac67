"""An update client, byte for byte as device-swupdate.md saw it on the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rawhttp import Answer, Wire

BASE = "/api/wfx/v1"
DEADLINE = 60.0
TEXT, JSON = "text/plain; charset=utf-8", "application/json"


class Line(Wire):
    """A connection that knows what a HEAD is."""

    def answer_to(self, method: str) -> Answer:
        """Return the next response; one to HEAD has no body, whatever length it tells."""
        if method != "HEAD":
            return self.answer()
        status, *fields = self.until(b"\r\n\r\n").decode("latin-1").splitlines()
        headers = dict(field.lower().split(": ", 1) for field in fields if field)
        return Answer(int(status.split()[1]), headers, b"")


class Device:
    """One process of the client: a main connection for its whole life, and another one for progress in between."""

    def __init__(self, port: int, client_id: str) -> None:
        """Start up: look whether the service is there."""
        self.port = port
        self.client_id = client_id
        self.main = Line(port, DEADLINE)
        swagger = self.ask("GET", f"{BASE}/swagger.json")
        limits = json.loads(swagger.body)["definitions"]["JobStatus"]["properties"]
        assert (swagger.status, limits["message"]["maxLength"], limits["progress"]["maximum"]) == (200, 1024, 100)

    def close(self) -> None:
        """End, or lose power."""
        self.main.socket.close()

    def ask(self, method: str, path: str, kind: str = JSON) -> Answer:
        """Send a request without a body over the main connection; also these have a Content-Type."""
        self.main.send(self._head(method, path, kind, identity=True))
        return self.main.answer_to(method)

    def poll(self) -> list[dict[str, Any]]:
        """Look for open jobs."""
        answer = self.ask("GET", f"{BASE}/jobs?clientId={self.client_id}&group=OPEN")
        assert (answer.status, answer.headers["content-type"]) == (200, JSON)
        found: list[dict[str, Any]] = json.loads(answer.body)["content"]
        return found

    def state_of(self, job: str) -> str:
        """Look where a job stands."""
        answer = self.ask("GET", f"{BASE}/jobs/{job}")
        assert (answer.status, answer.headers["content-type"]) == (200, JSON)
        return str(json.loads(answer.body)["status"]["state"])

    def put(
        self, job: str, state: str, progress: int, message: str, *, lines: Sequence[str] = (), over: Wire | None = None
    ) -> dict[str, Any]:
        """Report a status and return the service's answer, over the main connection or another one."""
        wire = over or self.main
        body = self.announce(wire, job, state, progress, message, lines)
        return self.complete(wire, body)

    def announce(
        self, wire: Wire, job: str, state: str, progress: int, message: str, lines: Sequence[str] = ()
    ) -> bytes:
        """Send the header of a report and return the body, which waits for the service to ask for it."""
        said, logged = json.dumps(message), json.dumps(list(lines), ensure_ascii=False)
        body = (
            f'{{"state": "{state}", "clientId": "{self.client_id}", "progress": {progress}, '
            f'"message": {said}, "context": {{ "lines": {logged} }}}}'
        ).encode()
        more = ("X-Response-Filter: del(.context)", f"Content-Length: {len(body)}", "Expect: 100-continue")
        path = f"{BASE}/jobs/{job}/status"
        wire.send(self._head("PUT", path, JSON, *more, identity=wire is self.main))
        return body

    @staticmethod
    def complete(wire: Wire, body: bytes) -> dict[str, Any]:
        """Wait until the service asks for the body, send it, and return the answer."""
        assert wire.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100"), "without it the device waits for a second"
        wire.send(body)
        answer = wire.answer()
        assert (answer.status, answer.headers["content-type"]) == (200, TEXT), answer
        assert answer.headers["x-response-filter"] == "del(.context)"
        reply: dict[str, Any] = json.loads(answer.body)
        assert "context" not in reply
        return reply

    @contextmanager
    def progress_connection(self) -> Iterator[Wire]:
        """Open the second connection, which a download or an installation has for itself."""
        with Wire(self.port, DEADLINE) as wire:
            yield wire

    def _head(self, method: str, path: str, kind: str, *more: str, identity: bool) -> bytes:
        lines = [
            f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "User-Agent: libcurl-agent/1.0",
            *(("X-Client-Version: SWUpdate 2026.05.01", f"X-Client-Id: {self.client_id}") if identity else ()),
            f"Content-Type: {kind}", f"Accept: {kind}", *more,
        ]  # fmt: skip
        return "\r\n".join([*lines, "", ""]).encode()
