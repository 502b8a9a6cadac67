"""Devices and operators of several servers, who write down what they asked for and what they were told."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from history_check import Attempt, Document, Outcome

from tests.acceptance.clients import WORKFLOW, Side, Wrong
from tests.acceptance.cluster.verdict import Read
from wfx_loadtest.wire import Answer, NotReachable, WireError

MARKER = "change-"
"""What all tokens begin with."""
_ACTS = {"create": 3, "status": 10, "definition": 3, "tag": 3, "delete": 1, "read": 6}
_SHARED = 6
"""So many of the newest jobs are changed by everybody."""


@dataclass
class Notes:
    """What all clients wrote down."""

    attempts: list[Attempt] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    reads: list[Read] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    """Jobs that are there, as far as is known."""
    doomed: set[str] = field(default_factory=set)
    """Jobs that somebody has asked to delete."""
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    acknowledged: Counter[int] = field(default_factory=Counter)
    """How many changes each server has confirmed."""
    unavailable: int = 0
    """How often the store was said to be unavailable."""


class Client:
    """Does one thing after the other; often to jobs of its own, sometimes to others'."""

    def __init__(self, name: str, ports: Sequence[dict[str, int]], at: Sequence[int], notes: Notes, seed: str) -> None:
        """Ask those of the servers whose numbers are given, each time another one; ``name`` is part of all tokens."""
        self._name = name
        self._sides = {n: {side: Side(port) for side, port in ports[n].items()} for n in at}
        self._notes = notes
        self._chance = random.Random(seed)
        self._numbers = itertools.count(1)
        self._own: list[str] = []

    async def run(self, goes_on: Callable[[], bool]) -> None:
        """Ask until told to stop. Raises Wrong for an answer that should never be."""
        try:
            while goes_on():
                if not await self._act():
                    await asyncio.sleep(0.02)  # nobody is there: not to ask without pause
        finally:
            for sides in self._sides.values():
                for side in sides.values():
                    side.close()

    async def _act(self) -> bool:
        """Ask for something; False if there was no answer."""
        (kind,) = self._chance.choices(list(_ACTS), list(_ACTS.values()))
        token = f"{MARKER}{self._name}.{next(self._numbers)}"
        side = self._chance.choice(("north", "south"))
        if kind == "create" or not self._own:
            body = {"clientId": self._name, "workflow": WORKFLOW["name"], "definition": {"token": token}}
            return await self._change(token, None, "north", "POST", "/jobs", body)
        if kind == "delete":
            job = self._own.pop(self._chance.randrange(len(self._own)))
            self._forget(job)
            self._notes.doomed.add(job)
            return await self._change(f"deletion of {job}", job, "north", "DELETE", f"/jobs/{job}", None)
        job = self._job()
        path = f"/jobs/{job}"
        match kind:
            case "read":
                return await self._read(job, side)
            case "status":
                status = {"state": "WORK", "message": token, "progress": self._chance.randrange(100)}
                return await self._change(token, job, side, "PUT", f"{path}/status", status)
            case "definition":
                return await self._change(token, job, side, "PUT", f"{path}/definition", {"token": token})
        return await self._change(token, job, "north", "POST", f"{path}/tags", [token])

    def _job(self) -> str:
        shared = self._notes.jobs[-_SHARED:]
        return self._chance.choice(shared if shared and self._chance.random() < 0.4 else self._own)

    def _forget(self, job: str) -> None:
        if job in self._notes.jobs:
            self._notes.jobs.remove(job)

    async def _read(self, job: str, side: str) -> bool:
        sent = time.monotonic()
        try:
            answer, _ = await self._ask(side, "GET", f"/jobs/{job}", None)
        except WireError:
            return False
        if answer.status == 503:
            self._unavailable(answer)
            return False
        self._saw(job, sent, answer)
        return True

    def _saw(self, job: str, sent: float, answer: Answer) -> None:
        """Note how a job was shown, or that there is none."""
        shown: Document | None = json.loads(answer.body) if answer.status == 200 else None
        if answer.status != 200 and (answer.status != 404 or job not in self._notes.doomed):
            raise Wrong(f"{self._name} asked for job {job}: {answer.line}: {answer.body!r}")
        if shown is not None and job in self._notes.doomed and shown["status"].get("message") == "the job was deleted":
            shown = None  # what its device is told
        self._notes.reads.append(Read(job, sent, time.monotonic(), shown))

    async def _change(self, token: str, job: str | None, side: str, method: str, path: str, body: Any) -> bool:
        sent = time.monotonic()
        try:
            answer, server = await self._ask(side, method, path, body)
        except NotReachable:
            return False  # nobody was asked
        except WireError:
            self._note(token, Outcome.UNKNOWN, sent)
            return False
        if answer.status in (200, 201, 204):
            self._notes.acknowledged[server] += 1
            if answer.body:
                self._notes.answers[token] = json.loads(answer.body)
            if method == "POST" and job is None:
                self._own.append(self._notes.answers[token]["id"])
                self._notes.jobs.append(self._own[-1])
            self._note(token, Outcome.ACKNOWLEDGED, sent)
        elif answer.status == 503:
            self._unavailable(answer)
            unknown = b"unknown whether the change was made" in answer.body
            self._note(token, Outcome.UNKNOWN if unknown else Outcome.REFUSED, sent)
            return False
        elif job is None or method == "DELETE":
            raise Wrong(f"{self._name}: {method} {path}: {answer.line}: {answer.body!r}")
        else:
            self._saw(job, sent, answer)
            self._note(token, Outcome.REFUSED, sent)
        return True

    def _unavailable(self, answer: Answer) -> None:
        if json.loads(answer.body)["errors"][0]["code"] != "wfx.storeUnavailable":
            raise Wrong(f"{answer.line}: {answer.body!r}")
        self._notes.unavailable += 1

    def _note(self, token: str, outcome: Outcome, sent: float) -> None:
        self._notes.attempts.append(Attempt(token, outcome, sent, time.monotonic()))
        self._notes.outcomes[outcome] += 1

    async def _ask(self, side: str, method: str, path: str, body: Any) -> tuple[Answer, int]:
        server = self._chance.choice([*self._sides])
        return await self._sides[server][side].ask(method, path, body), server
