"""What is told of the quick start and of reloads, as commands of curl, by services on each kind of storage."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.rules.serving import ON_EACH_STORE, Ruled, ruled
from tests.waiting import until
from wfx import spec_files

QUICK_START = spec_files.find("rules/high-value-food.yml").read_text()
CURL = "curl -s -H Content-Type:application/json --noproxy '*' -w '\\n%{http_code}' "
EVENT = '{"type":"transaction","source":"pos-system","actor_id":"user_42","payload":{"amount":1500,"category":"food"}}'
AWARDED = "Awarded 75 points to user_42 — High-value food purchase bonus"


async def curl(service: Ruled, words: str) -> tuple[int, Any]:
    """Return status and document of the answer to a command of curl."""
    environment = os.environ | {"NORTH": service.service.north, "SOUTH": service.service.south}
    process = await asyncio.create_subprocess_shell(CURL + words, stdout=asyncio.subprocess.PIPE, env=environment)
    printed, _ = await process.communicate()
    document, _, status = printed.decode().rpartition("\n")
    return int(status), json.loads(document) if document else None


@ON_EACH_STORE
async def test_the_quick_start(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """The event of the quick start awards 75 points, twice with an id once; 500 nothing, and devices get 404."""
    with_id = EVENT.replace("{", '{"id":"evt_01",', 1)
    async with ruled(request, storage, tmp_path, QUICK_START) as service:
        first = await curl(service, f"$NORTH/v1/events -d '{with_id}'")
        assert await curl(service, f"$NORTH/v1/events -d '{with_id}'") == first
        assert (await service.get("/v1/scores/user_42"))["points"] == 75
        assert (await curl(service, f"$NORTH/v1/events -d '{EVENT.replace('1500', '500')}'"))[1][
            "actions_executed"
        ] == []
        assert (await service.get("/v1/scores/user_42"))["points"] == 75
        status, told = await curl(service, f"$NORTH/v1/events -d '{EVENT}'")
        assert (await service.get("/v1/scores/user_42"))["points"] == 150
        assert (await curl(service, f"$SOUTH/v1/events -d '{EVENT}'"))[0] == 404
    assert (status, first[0], first[1]["event_id"]) == (200, 200, "evt_01")
    assert told["scenarios_matched"] == ["sc_high_value_food"]
    assert [action["message"] for action in told["actions_executed"]] == [AWARDED]


@ON_EACH_STORE
async def test_batches(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """Two events are queued with 202, 101 are refused, and so is one without a type."""
    async with ruled(request, storage, tmp_path, QUICK_START) as service:
        status, receipt = await curl(service, f"$NORTH/v1/events/batch -d '[{EVENT},{EVENT}]'")
        assert (status, receipt["total"], receipt["queued"], receipt["rejected"]) == (202, 2, 2, 0)
        assert receipt.keys() == {"job_id", "total", "queued", "rejected"}
        many = ",".join([EVENT] * 101)
        assert await curl(service, f"$NORTH/v1/events/batch -d '[{many}]'") == (
            400, {"error": "batch size 101 exceeds max 100"},
        )  # fmt: skip
        assert await curl(service, "$NORTH/v1/events -d '{}'") == (400, {"error": "event type is required"})
        await service.soon(lambda: service.get("/v1/scores/user_42"), lambda found: found["points"] == 150)


@ON_EACH_STORE
async def test_a_saved_file(request: pytest.FixtureRequest, storage: str, tmp_path: Path) -> None:
    """A saved file is in use soon, with faults it is refused with all places; meanwhile no request fails."""
    file, statuses, ended = tmp_path / "rules.yml", list[int](), asyncio.Event()
    async with ruled(request, storage, tmp_path, QUICK_START) as service:

        async def ask() -> None:
            while not ended.is_set():
                statuses.append((await service.client.post("/v1/events", json=json.loads(EVENT))).status_code)
                await asyncio.sleep(0.01)

        asking = asyncio.create_task(ask())
        file.write_text(QUICK_START.replace("    event_types", "    enabled: false\n    event_types"))
        await service.soon(lambda: service.get("/v1/rules"), lambda found: not found["scenarios"][0]["enabled"])
        answered = len(statuses)
        await until(lambda: len(statuses) > answered, "what was asked before the change is answered")
        points = (await service.get("/v1/scores/user_42"))["points"]
        _, told = await curl(service, f"$NORTH/v1/events -d '{EVENT}'")
        assert told["scenarios_matched"] == []
        file.write_text(QUICK_START.replace("    event_types", "    event_typs").replace("> 1000", "= 1000"))
        status, refused = await curl(service, "-X POST $NORTH/v1/rules/reload")
        shown = await service.get("/v1/rules")
        assert (await service.get("/v1/scores/user_42"))["points"] == points
        file.write_text(QUICK_START)
        assert (await curl(service, "-X POST $NORTH/v1/rules/reload"))[0] == 200
        assert (await curl(service, f"$NORTH/v1/events -d '{EVENT}'"))[1]["scenarios_matched"] == ["sc_high_value_food"]
        ended.set()
        await asking
    assert status == 400
    places = [fault.split(": ")[0] for fault in refused["faults"]]
    assert all(place.startswith("rules.yml:") and place.count(":") == 2 for place in places)
    assert any("event_typs" in fault for fault in refused["faults"])
    assert any("'=' is not part of expressions" in fault for fault in refused["faults"])
    assert (shown["scenarios"][0]["enabled"], shown["faults"]) == (False, refused["faults"])
    assert set(statuses) == {200}
