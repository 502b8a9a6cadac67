"""Single jobs in the fleet API, and changes that depend on their versions."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.rollouts import require_problem


def test_a_job_is_shown_without_its_workflow(fleet: httpx.Client, south: httpx.Client, job: dict[str, Any]) -> None:
    """A job comes with definition, status and version, and its ETag names the version."""
    south.put(f"/jobs/{job['id']}/status", json={"state": "INSTALLING", "progress": 4, "context": {"a": "<b>"}})
    whole = south.get(f"/jobs/{job['id']}").json()
    answer = fleet.get(f"/jobs/{job['id']}")
    assert answer.headers["etag"] == '"2"'
    assert answer.json() == {
        **{name: whole[name] for name in ("id", "clientId", "stime", "mtime", "tags", "definition", "status")},
        "workflow": job["workflow"]["name"], "group": "OPEN", "state": "INSTALLING", "version": 2,
    }  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_an_unknown_job_is_a_problem(fleet: httpx.Client, method: str) -> None:
    """404 with a code, whatever was asked."""
    path, body = ("/jobs/unknown/status", {"state": "A"}) if method == "PUT" else ("/jobs/unknown", None)
    for headers in ({}, {"If-Match": '"1"'}):
        require_problem(fleet.request(method, path, json=body, headers=headers), 404, "wfx.jobNotFound")


@pytest.mark.parametrize("condition", ['"1"', "*", '"7", "1"', '"1" ,W/"2"'])
def test_a_change_is_made_on_the_version_that_was_seen(
    fleet: httpx.Client, job: dict[str, Any], condition: str
) -> None:
    """With the ETag of the job as it is, with any of several, or with a star, it is changed, and deleted."""
    headers = {"If-Match": condition}
    answer = fleet.put(f"/jobs/{job['id']}/status", json={"state": "INSTALL", "message": "m"}, headers=headers)
    assert (answer.status_code, answer.headers["etag"], answer.json()["version"]) == (200, '"2"', 2)
    headers["If-Match"] = condition.replace('"1"', '"2"')
    assert fleet.delete(f"/jobs/{job['id']}", headers=headers).status_code == 204
    require_problem(fleet.get(f"/jobs/{job['id']}"), 404, "wfx.jobNotFound")


@pytest.mark.parametrize("condition", ['"2"', 'W/"1"', '"1x"', '"2", "3"', '"0"', '""'])
def test_a_change_is_refused_on_another_version(fleet: httpx.Client, job: dict[str, Any], condition: str) -> None:
    """A job that has another version than was seen is left as it is: 412."""
    headers = {"If-Match": condition}
    answer = fleet.put(f"/jobs/{job['id']}/status", json={"state": "INSTALL"}, headers=headers)
    told = require_problem(answer, 412, "wfx.jobChanged")["detail"]
    named = {'"2"': "2; read", '"2", "3"': "2 or 3; read"}.get(
        condition, "one of If-Match, where no version of a job is named"
    )
    assert f"has version 1 and not {named}" in told
    require_problem(fleet.delete(f"/jobs/{job['id']}", headers=headers), 412, "wfx.jobChanged")
    assert fleet.get(f"/jobs/{job['id']}").headers["etag"] == '"1"'


@pytest.mark.parametrize("condition", ["", "1", '"1', '"1" "2"', "W/1", '"1",', "*, *"])
def test_a_bad_condition_is_refused(fleet: httpx.Client, job: dict[str, Any], condition: str) -> None:
    """What is neither a star nor a list of entity tags is refused."""
    answer = fleet.delete(f"/jobs/{job['id']}", headers={"If-Match": condition})
    assert "header If-Match" in require_problem(answer, 400, "wfx.badRequest")["detail"]


@pytest.mark.parametrize("condition", ["*", '"1"', '"2"'])
def test_nothing_is_created_under_the_name_of_a_job(fleet: httpx.Client, job: dict[str, Any], condition: str) -> None:
    """A change with If-None-Match is refused, and says what takes its place; the job stays as it is."""
    path, headers = f"/jobs/{job['id']}", {"If-None-Match": condition}
    changed = fleet.put(f"{path}/status", json={"state": "INSTALL"}, headers=headers)
    for answer in (changed, fleet.delete(path, headers=headers)):
        assert "with If-Match alone" in require_problem(answer, 400, "wfx.badRequest")["detail"]
    assert fleet.get(path).headers["etag"] == '"1"'


def test_operators_take_their_own_transitions(fleet: httpx.Client, job: dict[str, Any]) -> None:
    """A step that the workflow does not allow to operators is refused, and a body with unknown members too."""
    answer = fleet.put(f"/jobs/{job['id']}/status", json={"state": "INSTALLING"})
    assert "not allowed for actor 'WFX'" in require_problem(answer, 400, "wfx.invalidRequest")["detail"]
    answer = fleet.put(f"/jobs/{job['id']}/status", json={"state": "INSTALL", "clientId": "c"})
    require_problem(answer, 400, "wfx.badRequest")
