"""Fan-out: writes at a constant rate, every one of them to be heard by every subscriber."""

from __future__ import annotations

import secrets

from wfx_loadtest import direct
from wfx_loadtest.facts import Fact
from wfx_loadtest.scenario.default import Writer, write
from wfx_loadtest.scenario.listening import listening, new_ledger
from wfx_loadtest.session import Session


async def run(session: Session) -> list[Fact]:
    """Write at the rate of writes while the subscribers listen; show what they heard and how late."""
    workflow = await direct.ensure(session.north)
    client_id = f"loadtest-{secrets.token_hex(4)}"
    ledger = new_ledger(session, client_id)
    async with listening(session, ledger, f"clientIds={client_id}") as streams:
        writer = Writer(session, workflow, client_id, ledger.acknowledged)
        await write(session, session.begin(), writer)
    return ledger.facts(sum(stream.lost for stream in streams))
