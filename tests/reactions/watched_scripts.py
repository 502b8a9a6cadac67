"""A service whose scripts end only when somebody ends them, and what its pages for analysis tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.reactions.ruled_service import rules_with
from tests.reactions.test_scripts_at_work import BASE, FLOW, RULES
from tests.waiting import eventually
from wfx.demo.local import LocalService

TOKEN = "canary-4711"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}
ENDLESS = "while (true) {}"
DEBUG = ("--debug-enabled", f"--debug-auth-token={TOKEN}", "--tracker-enabled")
PATIENT = ("--vm-pool-max-operations=1000000000000", "--vm-pool-max-execution-seconds=600s")
"""So that no script ends by itself, however slow the machine is."""


@contextmanager
def watched_service(folder: Path) -> Iterator[LocalService]:
    """A service that keeps what was run, and has a rule that runs a script on the state VALIDATE."""
    with LocalService(folder, f"--rules={rules_with(folder, RULES)}", "--enable-scripts", *PATIENT, *DEBUG) as service:
        httpx.post(f"{service.north}{BASE}/workflows", json=FLOW, trust_env=False).raise_for_status()
        yield service


def page(service: LocalService) -> Any:
    """Return the page of processes."""
    url = f"{service.north}/debug/processes"
    return httpx.get(url, headers=SHOWN, trust_env=False, timeout=60).raise_for_status().json()


def only_run(service: LocalService) -> Any:
    """Wait until one script runs; return what is told of it."""
    eventually(lambda: len(page(service)["scripts"]) == 1, "one script runs")
    return page(service)["scripts"][0]


def figures(service: LocalService) -> dict[str, float]:
    """Return the figures of scripts, by name and labels."""
    text = httpx.get(f"{service.north}/metrics", trust_env=False, timeout=60).text
    return {
        ".".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("wfx_scripts_")
    }
