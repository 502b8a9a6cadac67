"""What the store does for scripts: implements :class:`wfx.store.script_protocol.ScriptStore` over any backend."""
# ruff: noqa: D102 - the protocol documents its methods

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256 as hash_of
from typing import Any

from wfx.domain.json import Json
from wfx.domain.script_errors import ScriptNotFound
from wfx.store.backend import Backend
from wfx.store.batching import Batcher
from wfx.store.operations import DeleteScript, PutScript
from wfx.store.rule_records import LONGEST_NAME, is_name
from wfx.store.script_records import Script, ScriptHead, ScriptPage, ScriptWanted, VersionsOfScript

_MOST_LISTED = 1000


class BatchingScripts:
    """A part of :class:`wfx.store.batching_store.BatchingStore`."""

    backend: Backend
    _writes: Batcher[Any]

    async def put_script(self, name: str, source: str, findings: Json) -> str | None:
        if not is_name(name):
            raise ValueError(f"the name of a script is no text of 1 to {LONGEST_NAME} bytes without U+0000: {name!a}")
        if "\0" in source:
            raise ValueError("the source of a script has U+0000")
        encoded = source.encode()
        operation = PutScript(name, hash_of(encoded).hexdigest(), source, len(encoded), findings)
        before: str | None = await self._writes.submit(operation)
        return before

    async def get_script(self, name: str, sha256: str | None = None) -> Script:
        wanted = ScriptWanted(name, sha256)
        known = is_name(name) and (sha256 is None or is_name(sha256))
        script: Script | None = await self.backend.read_scripts(wanted) if known else None
        if script is None:
            raise ScriptNotFound(name, sha256)
        return script

    async def list_scripts(self, after: str = "", limit: int = 100) -> Sequence[ScriptHead]:
        page = ScriptPage(after, max(0, min(limit, _MOST_LISTED)))
        heads: Sequence[ScriptHead] = await self.backend.read_scripts(page) if not after or is_name(after) else ()
        return heads

    async def list_script_versions(self, name: str) -> Sequence[ScriptHead]:
        heads: Sequence[ScriptHead] = await self.backend.read_scripts(VersionsOfScript(name)) if is_name(name) else ()
        return heads

    async def delete_script(self, name: str) -> None:
        if not is_name(name):
            raise ScriptNotFound(name)
        await self._writes.submit(DeleteScript(name))
