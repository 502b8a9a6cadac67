"""What is kept of runs of scripts, on each kind of storage: it is listed, and gives the same bytes once more."""

from __future__ import annotations

import asyncio
import signal
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock

import httpx
import pytest

from tests.reactions.ruled_service import STORAGES, rules_with, storage_options
from tests.reactions.test_scripts_at_work import FLOW, RULES, Place
from wfx.config.encryption import sealing_of
from wfx.config.options import Config
from wfx.demo.local import LocalService
from wfx.domain.script_errors import ScriptsBusyNow
from wfx.domain.timestamp import SECOND, Timestamp
from wfx.scripts.runs import Fault, Outcome, RunRequest, RunResult
from wfx.service import script_runs
from wfx.service.script_runs import ScriptRuns, Tracker
from wfx.store.opening import open_store
from wfx.store.rule_records import Task, TaskQuery
from wfx.store.storage_settings import StorageSettings
from wfx.store.upkeep import present
from wfx.tasks.progress import Progress
from wfx.tasks.retention import TaskRetention

CHANCE = """
function main(payload) {
  const facts = nflow_data.job.status.context
  const {big, text} = facts
  return {next: "DONE", payload: {chance: Math.random(), at: Date.now(), order: Object.keys(facts), big, text}}
}
"""
CANARY = "canary-2091-of-a-run"
FACTS = {"z": 1, "a": -0.0, "big": 12345678901234567890, "text": 'ü\u2028"\\ \x07', "1": [1e-7, 1.0]}


@contextmanager
def tracked(storage: str, folder: Path, fixture: Callable[[str], Any], *more: str) -> Iterator[LocalService]:
    """Start a service that runs scripts, and keeps what was run."""
    options = [*storage_options(storage, folder, fixture), f"--rules={rules_with(folder, RULES)}", "--enable-scripts"]
    with LocalService(folder, *options, *more) as service:
        yield service


def replayed(place: Place, task: int) -> Any:
    """Replay a run."""
    return place.call("POST", f"/v1/scripts/decide/runs/{task}/replay").json()


@pytest.mark.parametrize("storage", STORAGES)
def test_a_run_is_replayed(request: pytest.FixtureRequest, tmp_path: Path, storage: str) -> None:
    """A run is listed with what it was given and returned, and gives the same bytes later, however it ended."""
    with tracked(storage, tmp_path, request.getfixturevalue, "--tracker-enabled") as service:
        place = Place(service)
        place.call("POST", "/workflows", json=FLOW)
        place.put(CHANCE)
        job_id = place.enter(FACTS)
        place.ended()
        context = place.job(job_id)["status"]["context"]
        place.put("throw new Error('no')")
        place.enter({})
        place.ended(2)
        service.stop()
        service.start()
        failed, done = place.call("GET", "/v1/scripts/decide/runs").json()["content"]
        assert (done["state"], done["run"]["outcome"], failed["run"]["outcome"]) == ("DONE", "done", "error")
        assert f'"chance":{context["chance"]}' in done["run"]["value"]
        assert failed["run"]["error"] == "Error: no"
        for each in (done, failed):
            again = replayed(place, each["task"])
            assert again["equal"] is True, again
            assert again["run"] == each["run"]
            assert again["replayed"]["value"] == each["run"]["value"]
        assert [len(place.job(job_id)["history"]), place.job(job_id)["status"]["state"]] == [2, "DONE"]


def test_what_is_not_kept(tmp_path: Path) -> None:
    """Without the option tasks are listed alone, and cannot be replayed; so are runs of other scripts, and no runs."""
    with tracked("sqlite", tmp_path, lambda _: None) as service:
        place = Place(service)
        place.call("POST", "/workflows", json=FLOW)
        place.put(CHANCE)
        place.enter(FACTS)
        (task,) = place.ended()
        (run,) = place.call("GET", "/v1/scripts/decide/runs").json()["content"]
        assert (run["task"], run["state"], "run" in run) == (task["id"], "DONE", False)
        assert place.call("GET", "/v1/scripts/another/runs").json() == {"content": []}
        for path in (f"decide/runs/{task['id']}", "decide/runs/4711", f"another/runs/{task['id']}"):
            refused = httpx.post(f"{service.north}/v1/scripts/{path}/replay", trust_env=False, timeout=60)
            assert (refused.status_code, "there is no task" in refused.json()["error"]) == (404, True)


def test_pages(tmp_path: Path) -> None:
    """Runs come page by page, the newest first, each once."""
    with tracked("sqlite", tmp_path, lambda _: None, "--tracker-enabled") as service:
        place = Place(service)
        place.call("POST", "/workflows", json=FLOW)
        place.put("throw 1")
        for _ in range(5):
            place.enter({})
        expected = sorted((task["id"] for task in place.ended(5)), reverse=True)
        found, after = list[int](), 0
        for _ in range(6):
            page = place.call("GET", "/v1/scripts/decide/runs", params={"limit": 2, "after": after}).json()
            found += [run["task"] for run in page["content"]]
            if "next" not in page:
                break
            after = page["next"]
        assert found == expected


def test_kept_runs_are_sealed_and_dropped(tmp_path: Path) -> None:
    """With encryption nothing of a kept run is readable in the files, and it is gone with its task after 30 days."""
    key = f"k1:{b64encode(bytes(32)).decode()}"
    options = ("--tracker-enabled", "--enable-encryption", f"--encryption-keys={key}")
    with tracked("sqlite", tmp_path, lambda _: None, *options) as service:
        place = Place(service)
        place.call("POST", "/workflows", json=FLOW)
        place.put("payload = {echo: nflow_data.job.status.context}; next = 'DONE'")
        place.enter({"secret": CANARY})
        (task,) = place.ended()
        (run,) = place.call("GET", "/v1/scripts/decide/runs").json()["content"]
        assert CANARY in run["run"]["nflow_data"]
        assert CANARY in run["run"]["value"]
        service.stop(signal.SIGKILL)
        files = [file.read_bytes() for file in tmp_path.iterdir() if file.name.startswith("wfx.db")]
        assert files
        assert not any(CANARY.encode() in content for content in files)
        assert [asyncio.run(_left_after(days, tmp_path, key)) for days in (29, 31)] == [1, 0]
        service.start()
        assert place.call("GET", "/v1/scripts/decide/runs").json() == {"content": []}
        url = f"{service.north}/v1/scripts/decide/runs/{task['id']}/replay"
        assert httpx.post(url, trust_env=False, timeout=60).status_code == 404


async def _left_after(days: int, folder: Path, key: str) -> int:
    """Have tasks dropped as they are after so many days; returns how many runs are left."""
    sealing = sealing_of(Config(enable_encryption=True, encryption_keys=key))
    store = await open_store("sqlite", f"file:{folder}/wfx.db", StorageSettings(sealing=sealing))
    now = Timestamp(present() + days * 86_400 * SECOND)
    await TaskRetention(store, now=lambda: now).take_turn()
    left = await store.list_tasks(TaskQuery("run_script"))
    await store.close()
    return len(left)


async def test_a_replay_for_which_there_is_no_place() -> None:
    """A replay that finds no place is refused: nothing is said about whether the run gives the same."""
    request, done = RunRequest("", b"{}"), RunResult(Outcome.DONE, b"{}")
    kept = Tracker(lambda: True).kept("v", request, done)
    result = Progress(run=kept).encoded.decode()
    task = Task.of((7, "log/1/a", "run_script", "DONE", 0, 1, 0, 0, '{"script": "s"}', result, b""))
    store, scripts = AsyncMock(), AsyncMock(require=Mock())
    store.list_tasks.return_value = [task]
    scripts.run.return_value = RunResult(Outcome.BUSY, fault=Fault("200 scripts ran or waited for 5 s"))
    with pytest.raises(ScriptsBusyNow, match="200 scripts"):
        await ScriptRuns(store, scripts).replay("s", 7)
    scripts.run.return_value = done
    assert (await ScriptRuns(store, scripts).replay("s", 7))[1].outcome == "done"


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a large run is kept, nor more in a day than there may be; a day later there is room again."""
    monkeypatch.setattr(script_runs, "LARGEST", 100)
    monkeypatch.setattr(script_runs, "MOST", 250)
    now = [0.0]
    tracker = Tracker(lambda: True, lambda: now[0])

    def is_kept(size: int) -> bool:
        request, result = RunRequest("", b"x" * (size - 2)), RunResult(Outcome.DONE)
        return tracker.kept("v", request, result) is not None

    assert [is_kept(size) for size in (101, 100, 100, 51, 50, 2)] == [False, True, True, False, True, False]
    now[0] = 86_400.0
    assert is_kept(100)
    assert Tracker(lambda: False).kept("v", RunRequest("", b"{}"), RunResult(Outcome.DONE)) is None
