"""One device against the auth example: a job that is the stream, look-ups without number, long targets, large bodies.

The device has a token of its own and may ask for its own jobs only; the clients that are observed have another.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import socket
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from plugin_programs import ROOT, PluginDirectory
from rawhttp import request

from tests.attack.frame import BASE, Kind, Target

CLIENTS = 16
TOKENS = {"witness": "token-of-witness", "greedy": "token-of-greedy"}
WITNESS = f"Authorization: Bearer {TOKENS['witness']}"
GREEDY = f"Authorization: Bearer {TOKENS['greedy']}"
LARGE = b'{"state":"S","message":"' + b"x" * 1_000_000 + b'"}'
REPORT = b'{"state":"S","clientId":"greedy"}'
PARTS = ("status", "definition", "tags")


def prepare(folder: Path) -> Sequence[str]:
    """Put the example in front of devices; it has to know the port of the management side beforehand."""
    south = folder / "south"
    south.mkdir(mode=0o755)
    PluginDirectory(south).sdk("auth", (ROOT / "plugins" / "examples" / "auth" / "auth.py").read_text())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tokens = {hashlib.sha256(token.encode()).hexdigest(): name for name, token in TOKENS.items()}
    config = folder / "auth.json"
    config.write_text(json.dumps({"north": f"http://127.0.0.1:{port}", "tokens": tokens}))
    launcher = south / "auth"
    launcher.write_text(launcher.read_text().replace('"/etc/wfx/auth.json"', repr(str(config))))
    return f"--client-plugins-dir={south}", f"--mgmt-port={port}"


async def attack(target: Target) -> Counter[str]:
    """Ask for what is not to be had; it is denied, or its sender is told to come later, and nothing else."""
    tally = Counter[str]()
    await asyncio.gather(*(_ask_on(target, random.Random(number), tally) for number in range(CLIENTS)))
    return tally


async def _ask_on(target: Target, chance: random.Random, tally: Counter[str]) -> None:
    while True:
        for name, sent, allowed in _attempts(chance):
            status = await _ask(target.south_port, sent)
            assert status in allowed, f"{name}: {status}"
            tally[f"{name} answered {status}"] += 1
        if not target.goes_on():
            return


def _attempts(chance: random.Random) -> Sequence[tuple[str, bytes, frozenset[int]]]:
    """One attempt of each sort, and what may come of it; 0 is a connection that ends without an answer."""
    jobs, part = f"{BASE}/jobs", chance.choice(PARTS)
    stream = chance.choice(["events", "%65vents", "event%73"])
    denied, later = frozenset({403}), frozenset({403, 503})
    return (
        ("stream as a job", request("GET", f"{jobs}/{stream}/{part}", b"", GREEDY), denied),
        ("stream as a job", request("PUT", f"{jobs}/{stream}/{part}", REPORT, GREEDY), denied),
        ("unknown job", request("PUT", f"{jobs}/{uuid.uuid4()}/status", REPORT, GREEDY), later),
        ("long target", request("GET", f"{jobs}?{'&' * 50_000}", b"", GREEDY), denied),
        ("large body", request("PUT", f"{jobs}/{uuid.uuid4()}/status", LARGE, GREEDY), later),
        ("unknown token", request("GET", jobs, b"", f"Authorization: Bearer {uuid.uuid4()}"), denied),
    )


async def _ask(port: int, sent: bytes) -> int:
    """Send a request on a connection of its own; gives the status, 0 if there is none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            writer.write(sent)
            await writer.drain()
            return int((await reader.readuntil(b"\r\n")).split()[1])
    finally:
        writer.transport.abort()
    return 0


KIND = Kind(attack, prepare, log=frozenset({"plugin reports an error"}), headers=(WITNESS,))
