"""A body means the same to a plugin, to the check of the document, and to what is done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from plugin_programs import PluginDirectory

from wfx.demo.local import LocalService

JSON = {"Content-Type": "application/json"}
WORKFLOW = {
    "name": "w",
    "states": [{"name": "A"}, {"name": "B"}, {"name": "C"}],
    "transitions": [{"from": "A", "to": "B", "eligible": "CLIENT"}, {"from": "A", "to": "C", "eligible": "CLIENT"}],
}
RECORDER = """
import json
def remember(request):
    with open({seen!r}, "a") as seen:
        print(json.dumps(json.loads(request.body)) if request.body else None, file=seen)
    return PASS
run(remember)
"""


@dataclass
class Watched:
    """A service whose devices' requests are shown to a plugin first, and what that made of their bodies."""

    service: LocalService
    seen: Path

    def last_seen(self) -> Any:
        """What the plugin decoded last."""
        return json.loads(self.seen.read_text().splitlines()[-1])


@pytest.fixture(scope="module", params=["uvicorn", "hypercorn"])
def watched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A service of each engine with a plugin that notes what it decodes."""
    folder = tmp_path_factory.mktemp("members")
    (folder / "plugins").mkdir(mode=0o755)
    PluginDirectory(folder / "plugins").sdk("recorder", RECORDER.format(seen=str(folder / "seen")))
    options = (f"--http-engine={request.param}", f"--client-plugins-dir={folder / 'plugins'}")
    with LocalService(folder, *options) as service:
        httpx.post(f"{service.north}/api/wfx/v1/workflows", json=WORKFLOW, trust_env=False).raise_for_status()
        yield Watched(service, folder / "seen")


@pytest.mark.parametrize("body", [
    '{"state": "B", "state": "C"}',
    '{"state": "C", "state": "B"}',
    '{"state": 1, "state": "B"}',
    r'{"state": "C", "\u0073tate": "B"}',
    '{"State": "C", "state": "B", "STATE": "C"}',
    '{"state": "B", "context": {"a": 1, "a": 2, "A": 3}}',
    '{"state": "B", "progress": 101, "progress": 7, "Progress": 8}',
    '{"state": "C", "state": "B", "n": -0}',
])  # fmt: skip
def test_the_same_value_for_all(watched: Watched, body: str) -> None:
    """Row 38: of members given twice all go by the last, and names in another case are other names to all."""
    north = f"{watched.service.north}/api/wfx/v1/jobs"
    job = httpx.post(north, json={"clientId": "c", "workflow": "w"}, trust_env=False).json()["id"]
    status = f"{watched.service.south}/api/wfx/v1/jobs/{job}/status"
    answer = httpx.put(status, content=body, headers=JSON, trust_env=False)
    assert answer.status_code == 200, answer.text
    done, seen = answer.json(), watched.last_seen()
    assert seen["state"] in ("B", "C")
    for name in ("state", "context", "progress"):
        assert done.get(name) == seen.get(name)


@pytest.mark.parametrize("body", ['{"state": "B", "state": 1}', '{"state": "B", "state": null}', '{"State": "B"}'])
def test_the_last_is_checked(watched: Watched, body: str) -> None:
    """Row 38: a body whose last member of a name is wrong is refused, whatever came before it."""
    north = f"{watched.service.north}/api/wfx/v1/jobs"
    job = httpx.post(north, json={"clientId": "c", "workflow": "w"}, trust_env=False).json()["id"]
    status = f"{watched.service.south}/api/wfx/v1/jobs/{job}/status"
    assert httpx.put(status, content=body, headers=JSON, trust_env=False).status_code == 400
    assert watched.last_seen().get("state") != "B", "nor does the plugin take it for what it is not"
