"""Scripts, in dictionaries."""

from __future__ import annotations

from typing import Any

from wfx.domain.script_errors import ScriptNotFound, TooManyScripts
from wfx.domain.timestamp import Timestamp
from wfx.store import script_records
from wfx.store.operations import DeleteScript, PutScript, ScriptOperation
from wfx.store.script_records import Script, ScriptHead, ScriptPage, ScriptQuestion, ScriptWanted, VersionsOfScript


class MemoryScripts:
    """What the memory backend keeps of scripts."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, str], Script] = {}  # those put last come last
        self._current: dict[str, str] = {}

    def perform(self, operation: ScriptOperation, now: int) -> Any:
        """Do an operation on scripts."""
        if isinstance(operation, PutScript):
            return self._put(operation, now)
        return self._delete(operation)

    def _put(self, put: PutScript, now: int) -> str | None:
        name, sha256 = put.name, put.sha256
        if name not in self._current and len(self._current) >= script_records.MOST_SCRIPTS:
            raise TooManyScripts(script_records.MOST_SCRIPTS)
        head = ScriptHead(name, sha256, Timestamp(now), put.size, put.findings, is_current=True)
        self._versions.pop((name, sha256), None)
        self._versions[name, sha256] = Script(head, put.source)
        before = self._current.get(name)
        self._current[name] = sha256
        self._drop_old()
        return before

    def _delete(self, deleted: DeleteScript) -> None:
        if self._current.pop(deleted.name, None) is None:
            raise ScriptNotFound(deleted.name)
        self._drop_old()

    def _drop_old(self) -> None:
        old = [key for key in self._versions if self._current.get(key[0]) != key[1]]
        for key in old[: max(len(old) - script_records.MOST_OLD_VERSIONS, 0)]:
            del self._versions[key]

    def answer(self, question: ScriptQuestion) -> Any:
        """Return what is asked for."""
        match question:
            case ScriptWanted(name, sha256):
                script = self._versions.get((name, sha256 or self._current.get(name, "")))
                return None if script is None else Script(self._head(script), script.source)
            case ScriptPage(after, limit):
                names = sorted(name for name in self._current if name > after)[:limit]
                return [self._versions[name, self._current[name]].head for name in names]
            case VersionsOfScript(name):
                return [self._head(each) for each in reversed(self._versions.values()) if each.head.name == name]

    def _head(self, script: Script) -> ScriptHead:
        head = script.head
        return head._replace(is_current=self._current.get(head.name) == head.sha256)
