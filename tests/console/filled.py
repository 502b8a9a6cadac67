"""A service that has the same to show each time, on every page of the console, and the list of these pages."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page, expect
from waiting import eventually

from tests.acceptance.hostile.test_clock import LIBRARY
from tests.console.fleet import Fleet, served

BEGINNING = "2026-03-02 10:00:00"
"""When the service believes to have started, in UTC."""
_CLOCK = {
    "LD_PRELOAD": str(LIBRARY), "FAKETIME": f"@{BEGINNING}", "TZ": "UTC", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    "FAKETIME_FORCE_MONOTONIC_FIX": "0",
}  # fmt: skip
_RULES = """
version: v1
scenarios:
  - id: inside
    description: "tells the intranet"
    event_types: [inside]
    children:
      - action:
          id: tell_intranet
          type: webhook_notify
          params: {url: "http://10.0.0.1/hook"}
  - id: quarantine
    event_types: [job.create]
    children:
      - condition:
          id: has_failed_often
          expression: "score(payload.client) >= 5"
          children:
            - action: {id: tag_quarantine, type: add_tags, params: {tags: [quarantine]}}
"""
DOUBLE = 'function main(payload) { return {next: "DONE", payload: {score: payload.amount * 2}} }'


@dataclass(frozen=True, slots=True)
class Address:
    """Where a page is, and what is on it once it shows everything."""

    path: str
    whole: str
    """A selector."""


def every_page(job: str, client: str = "press-1") -> dict[str, Address]:
    """Return all pages, by the folders of their sources."""
    return {
        "overview": Address("", ".attention .plain-list li"),
        "jobs": Address("jobs", "#jobs-table tbody tr"),
        "job": Address(f"jobs/{job}", "#graphDiv .state"),
        "devices": Address("devices", "#devices-table tbody tr"),
        "device": Address(f"devices/{client}", "#device-jobs tbody tr"),
        "workflows": Address("workflows", "#workflows-table tbody tr"),
        "workflow": Address("workflows/lamp.flow", "#graphDiv .state"),
        "new_workflow": Address("new-workflow?like=lamp.flow", ".graph .foreign-name"),
        "events": Address("events", "#events-table tbody tr"),
        "rules": Address("rules", "#failed-tasks tbody tr"),
        "script": Address("rules/scripts/double", "#versions tbody tr"),
        "system": Address("system", ".chart canvas"),
        "api": Address("api?operation=POST+/api/wfx/v1/jobs", ".api-operation h2"),
    }


PAGES = tuple(every_page(""))


@contextmanager
def served_with_rules(folder: Path, rules: str, environment: dict[str, str] | None = None) -> Iterator[Fleet]:
    """Run a service with these rules, webhooks, a limit and scripts."""
    folder.joinpath("rules.yml").write_text(rules)
    secret = folder / "secret"
    secret.write_text(f"whsec_{secrets.token_hex(24)}")
    secret.chmod(0o600)
    options = (
        "--rules=rules.yml", "--enable-scripts", "--webhook-secret-file=secret",
        "--sandbox-rate-limit-instance-start=2000/PT1M",
    )  # fmt: skip
    with served(folder, *options, environment=environment) as fleet:
        yield fleet


@contextmanager
def filled(folder: Path) -> Iterator[Fleet]:
    """Run a service with jobs, devices, rules, a task that failed, a limit and a script."""
    with served_with_rules(folder, _RULES, _CLOCK) as fleet:
        _rules(fleet)
        _jobs(fleet)
        yield fleet


def _rules(fleet: Fleet) -> None:
    """Have a script, and a task that failed."""
    javascript = {"content-type": "text/javascript"}
    fleet.ask("PUT", "/v1/scripts/double", content=DOUBLE, headers=javascript)
    fleet.ask("POST", "/v1/events", json={"type": "inside", "source": "test", "actor_id": "a", "payload": {}})
    eventually(lambda: fleet.ask("GET", "/v1/tasks?state=FAILED").json()["content"], "the task has failed")


def _jobs(fleet: Fleet) -> None:
    """Have jobs in all states, and devices that are described."""
    for number in range(1, 9):
        job = fleet.create(f"press-{number}", tags=["hall1"] if number % 2 else ["hall2"], definition={"version": "2"})
        if number > 2:
            fleet.report(job, "DIM", progress=10 * number, message="half way", clientId=f"press-{number}")
        if number > 5:
            fleet.report(job, "BRIGHT", progress=100)
    fleet.report(fleet.create("press-1", tags=["hall1"]), "BROKEN", message="no space left on the device")
    body = {"attributes": {"site": "hall1"}, "labels": ["canary"]}
    device = "/api/fleet/v1/devices/press-1"
    fleet.ask("PUT", f"{device}/attributes", json=body)
    eventually(lambda: "lastSeen" in fleet.ask("GET", device).json(), "the device was seen")  # it is written later


def failed_job(fleet: Fleet) -> str:
    """Return the job that failed."""
    return str(fleet.north.get("/jobs", params={"group": "FAILED"}).json()["content"][0]["id"])


async def show(page: Page, fleet: Fleet, address: Address) -> None:
    """Go to a page, and wait until all of it is there."""
    await page.goto(fleet.console + address.path)
    await expect(page.locator(address.whole).first).to_be_visible()
    await expect(page.locator(".skeleton")).to_have_count(0)
