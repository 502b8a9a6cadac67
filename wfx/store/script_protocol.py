"""Contract of every store as far as it concerns scripts; :mod:`wfx.store.protocol` says what holds of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from wfx.domain.json import Json
from wfx.store.script_records import Script, ScriptHead


class ScriptStore(Protocol):
    """What a store does for scripts. A name that no store can have is that of no script."""

    async def put_script(self, name: str, source: str, findings: Json) -> str | None:
        """Have this source be what the name stands for; returns the hash of what it stood for before, if anything.

        A version that is the present one is put again, which changes its time and findings. Older versions are kept,
        up to :data:`~wfx.store.script_records.MOST_OLD_VERSIONS` of all scripts. Raises TooManyScripts, and ValueError
        for a name or a source that no store can have.
        """

    async def get_script(self, name: str, sha256: str | None = None) -> Script:
        """Return a version of a script, the present one by default. Raises ScriptNotFound."""

    async def list_scripts(self, after: str = "", limit: int = 100) -> Sequence[ScriptHead]:
        """Return the present versions of the scripts whose names come behind this one, in the order of code points."""

    async def list_script_versions(self, name: str) -> Sequence[ScriptHead]:
        """Return the versions of a script that are kept, those put last first; none for one that never was."""

    async def delete_script(self, name: str) -> None:
        """Have the name stand for nothing; its versions are kept as older ones. Raises ScriptNotFound."""
