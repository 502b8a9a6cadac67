"""Use cases of scripts: keep them, and run them in the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, NamedTuple

from wfx.config.tunables import Current, Tunables
from wfx.domain.json import Json, encode
from wfx.domain.script_errors import ScriptBlocked, ScriptInvalid, ScriptsBusyNow, ScriptsOff, ScriptsUnavailableNow
from wfx.sandbox.errors import LimitReached, SandboxError
from wfx.scripts.engine import Running, ScriptEngine
from wfx.scripts.errors import ScriptsBusy
from wfx.scripts.figures import PoolFigures, ScriptFigures
from wfx.scripts.runs import UNTOLD, Finding, Purpose, RunRequest, RunResult, Severity, SourcePosition
from wfx.store.script_protocol import ScriptStore
from wfx.store.script_records import Script, ScriptHead
from wfx.store.upkeep import present

_NOT_LOOKED_AT: Sequence[Finding] = ()


class PutResult(NamedTuple):
    """What came of putting a script."""

    head: ScriptHead
    before: str | None
    """The hash of what its name stood for; None if for nothing."""


class Scripts:
    """Use cases on scripts; all raise what :class:`wfx.store.script_protocol.ScriptStore` raises, and ScriptsOff."""

    def __init__(self, store: ScriptStore, engine: ScriptEngine | None, tunables: Current[Tunables]) -> None:
        """Work on this store, and run scripts by this engine, if there is one and they are not disabled."""
        self._store = store
        self._engine = engine
        self._tunables = tunables

    @property
    def are_on(self) -> bool:
        """Whether scripts may be run."""
        return self._engine is not None and not self._tunables.current.sandbox_script_disabled

    @property
    def process_ids(self) -> list[int]:
        """The system's numbers of the processes that run scripts."""
        return self._engine.process_ids if self._engine is not None else []

    async def put(self, name: str, source: str, *, dry_run: bool = False) -> PutResult:
        """Keep a source under a name, or only tell whether it could be.

        Raises ScriptInvalid, ScriptBlocked, ScriptsBusyNow and ScriptsUnavailableNow.
        """
        engine = self.require()
        try:
            verdict = await engine.check(source)
            if (fault := verdict.fault) is not None:
                position = None if fault.position is None else (fault.position.line, fault.position.column)
                raise ScriptInvalid(fault.message, position)
            findings = await self._findings(engine, source)
        except ScriptsBusy as exc:
            raise ScriptsBusyNow(str(exc)) from exc
        except SandboxError as exc:
            raise ScriptsUnavailableNow(f"the script cannot be checked now: {exc}; try again") from exc
        encoded = source.encode()
        digest = sha256(encoded).hexdigest()
        if not dry_run:
            before = await self._store.put_script(name, source, findings)
            return PutResult((await self._store.get_script(name, digest)).head, before)
        return PutResult(ScriptHead(name, digest, present(), len(encoded), findings, is_current=False), None)

    async def _findings(self, engine: ScriptEngine, source: str) -> Json:
        """Analyse a source, if that is wanted. Raises ScriptBlocked, SandboxError."""
        found = _NOT_LOOKED_AT
        if self._tunables.current.enable_static_analysis:
            try:
                found = await engine.findings(source)
            except LimitReached as exc:  # so would it be the next time: what nobody could look at does not pass
                found = (
                    Finding("not_analysed", Severity.HIGH, f"the analysis did not end: {exc}", SourcePosition(1, 1)),
                )
        encoded = encode([_shown(each) for each in found])
        severe = sum(each.severity is Severity.HIGH for each in found)
        if severe and self._tunables.current.block_on_high_severity:
            raise ScriptBlocked(encoded, severe)
        return encoded

    async def get(self, name: str, version: str | None = None) -> Script:
        """Return a script, or one of its versions by its hash."""
        self.require()
        return await self._store.get_script(name, version)

    async def list(self, after: str, limit: int) -> Sequence[ScriptHead]:
        """Return a page of the scripts."""
        self.require()
        return await self._store.list_scripts(after, limit)

    async def versions(self, name: str) -> Sequence[ScriptHead]:
        """Return what a name stands for and has stood for, the newest first."""
        self.require()
        return await self._store.list_script_versions(name)

    async def delete(self, name: str) -> None:
        """Have a name stand for nothing."""
        self.require()
        await self._store.delete_script(name)

    async def run(
        self, name: str, version: str | None, make: Callable[[Script], RunRequest], purpose: Purpose = UNTOLD
    ) -> RunResult:
        """Run a script by what ``make`` makes of it. How it ends is no error."""
        engine = self.require()
        script = await self._store.get_script(name, version)
        return await engine.run(make(script), name, replace(purpose, version=script.head.sha256))

    @property
    def running(self) -> Sequence[Running] | None:
        """What runs in this process, the oldest first; None where no script can."""
        return None if self._engine is None else self._engine.running

    def end(self, number: int) -> bool:
        """End a run of this process; tell whether there was one with this number."""
        return self._engine is not None and self._engine.end(number)

    @property
    def figures(self) -> ScriptFigures | None:
        """What this process has counted; None where no script can run."""
        return None if self._engine is None else self._engine.figures

    @property
    def pool_figures(self) -> PoolFigures:
        """State of the worker processes now."""
        return PoolFigures() if self._engine is None else self._engine.pool_figures

    def require(self) -> ScriptEngine:
        """Return what runs scripts. Raises ScriptsOff."""
        if self._engine is None:
            raise ScriptsOff("scripts are not enabled; start this server with --enable-scripts")
        if self._tunables.current.sandbox_script_disabled:
            raise ScriptsOff("scripts are disabled, by sandbox-script-disabled")
        return self._engine


def _shown(finding: Finding) -> Mapping[str, Any]:
    return {
        "type": finding.type,
        "severity": finding.severity,
        "message": finding.message,
        "line": finding.position.line,
        "column": finding.position.column,
    }
