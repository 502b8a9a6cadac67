"""Workflows by number: they never change, so those used last are kept in memory."""

from __future__ import annotations

from collections.abc import Iterable

from wfx.domain.json import Json
from wfx.domain.workflow import Workflow
from wfx.store.bounded_cache import BoundedCache
from wfx.store.postgres.connections import Plain
from wfx.store.postgres.statements import SQL

_ROOM = 32 * 1024 * 1024
"""Bytes of workflow documents to keep at most."""


class Workflows:
    """The workflows used last. Which of them has a name now is never answered from memory: other servers change it."""

    def __init__(self, room: int = _ROOM) -> None:
        self._kept: BoundedCache[int, Workflow] = BoundedCache(room, lambda workflow: len(workflow.encoded))

    async def numbered(self, plain: Plain, numbers: Iterable[int]) -> dict[int, Workflow]:
        """Return the workflows with these numbers, as far as there are such, reading those that are not known."""
        found: dict[int, Workflow] = {}
        missing = []
        for number in set(numbers):
            if (known := self._kept.get(number)) is None:
                missing.append(number)
            else:
                found[number] = known
        if missing:
            for number, document in await plain.fetch(SQL["workflows_by_number"], missing):
                found[number] = workflow = Workflow.from_encoded(Json(document.encode()), number)
                self._kept.put(number, workflow)
        return found

    async def named(self, plain: Plain, names: Iterable[str]) -> dict[str, Workflow]:
        """Return the workflows that have these names now."""
        numbers = dict(await plain.fetch(SQL["numbers_by_name"], [name for name in names if "\0" not in name]))
        workflows = await self.numbered(plain, numbers.values()) if numbers else {}
        return {name: workflows[number] for name, number in numbers.items() if number in workflows}
