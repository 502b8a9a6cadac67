"""Services with rules, on each kind of storage, and what tells them events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from conformance import conforming_client

from tests.store.postgres_schemas import schemas
from wfx import spec_files
from wfx.demo.local import LocalService

QUICK_START = spec_files.find("rules/high-value-food.yml")
STORAGES = ("sqlite", "postgres")


@contextmanager
def clients(service: LocalService) -> Iterator[httpx.Client]:
    """A client of the API of rules; each answer is held against the document."""
    with conforming_client(f"{service.north}/v1", timeout=60) as client:
        yield client


def score(client: httpx.Client, actor_id: str) -> float:
    """The points of an actor."""
    answer = client.get(f"/scores/{actor_id}")
    assert answer.status_code == 200
    points: float = answer.json()["points"]
    return points


def storage_options(storage: str, folder: Path, fixture: Callable[[str], Any]) -> Sequence[str]:
    """The options of a storage of this kind, which belongs to the folder; ``fixture`` gives those of the test."""
    if storage == "sqlite":
        return (f"--storage-opt=file:{folder}/wfx.db",)
    option = schemas(fixture("postgres"), fixture("database"))(folder)
    return ("--storage=postgres", f"--storage-opt={option}")


def rules_with(folder: Path, text: str, **engine: object) -> Path:
    """Write a rule file with these numbers of the engine."""
    file = folder / "rules.yml"
    numbers = ", ".join(f"{name}: {str(value).lower()}" for name, value in engine.items())
    file.write_text(text.replace("version: v1\n", f"version: v1\nengine: {{{numbers}}}\n", 1))
    return file
