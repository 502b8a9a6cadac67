from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from release.script_engine import __main__ as fetching
from tests.scripts.engines import workers
from wfx.scripts import engine_file, preparation
from wfx.scripts.engine import ScriptEngine
from wfx.scripts.errors import ScriptsUnavailable
from wfx.scripts.instance import EXPORTS
from wfx.scripts.limits import ScriptLimits
from wfx.scripts.runs import Outcome, RunRequest
from wfx.scripts.wasm_sections import with_exports

ROOT = Path(__file__).parents[2]
ENGINE = engine_file.ENGINE.read_bytes()


async def test_a_start() -> None:
    """An engine of this installation starts and runs a script."""
    assert engine_file.missing() == ""
    engine = ScriptEngine(ScriptLimits(seconds=600.0), 1)
    await engine.start()
    assert (await engine.run(RunRequest("payload = 1", b"{}"))).outcome is Outcome.DONE
    await engine.close()
    assert workers() == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "make script-engine"),
        (b"", "is not the script engine that belongs to this wfx"),
        (ENGINE + b"\0", "not the"),
    ],
)
async def test_no_engine(content: bytes | None, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its engine, or with another, an installation runs no scripts and says what to do."""
    file = tmp_path / "quickjs.wasm"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(engine_file, "ENGINE", file)
    with pytest.raises(ScriptsUnavailable, match=reason):
        await ScriptEngine(ScriptLimits(), 1).start()


def test_what_else_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without wasmtime, or on a processor whose system calls are not known, an installation says so."""
    monkeypatch.setattr(engine_file, "PACKAGES", ("wasmtime", "no_such_package"))
    assert engine_file.missing() == "the package no_such_package is not installed: install wfx with its extra scripts"
    monkeypatch.setattr(platform, "machine", lambda: "pdp11")
    assert "pdp11: scripts need one of aarch64, x86_64" in engine_file.missing()


async def test_an_engine_that_cannot_be_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that is no WebAssembly is told as one that could not be compiled."""
    broken = tmp_path / "quickjs.wasm"
    broken.write_bytes(b"\0asm\1\0\0\0\7")
    monkeypatch.setattr(preparation, "ENGINE", broken)
    with pytest.raises(ScriptsUnavailable, match="was not compiled: its process ended with 1"):
        await preparation.compiled_engine()


_WITHOUT_CODE_AT_RUN_TIME = """
import asyncio, ctypes
from struct import pack
from wfx.sandbox.system_calls import ARCHITECTURES
from wfx.scripts import preparation
import platform

number = ARCHITECTURES[platform.machine()][1]["mprotect"]
program = b"".join(pack("=HBBI", *each) for each in (
    (0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 32), (0x45, 0, 1, 4), (0x06, 0, 0, 0x00050001),
    (0x06, 0, 0, 0x7FFF0000),
))
class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, ctypes.byref(Program(6, program)), 0, 0) == 0
try:
    asyncio.run(preparation.compiled_engine())
except Exception as error:
    print(type(error).__name__, error)
"""
"""Does what systemd does for MemoryDenyWriteExecute: the system refuses to make memory executable."""


def test_a_system_that_refuses_code() -> None:
    """Under a unit with MemoryDenyWriteExecute, the start tells which setting to change."""
    command = [sys.executable, "-c", _WITHOUT_CODE_AT_RUN_TIME]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert said.stdout.startswith("ScriptsUnavailable the system refuses code"), said.stderr
    assert "MemoryDenyWriteExecute=no" in said.stdout


def test_what_is_used_of_the_engine() -> None:
    """What is compiled exports nothing but what is called, and is else the engine as it was fetched."""
    used = with_exports(ENGINE, EXPORTS)
    assert len(ENGINE) - 12_000 < len(used) < len(ENGINE)
    assert with_exports(used, EXPORTS) == used
    assert b"qjs_eval_bytecode" in used
    assert b"qjs_new_host_function" not in used


def test_a_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is fetched where it is missing or another one, and no second time; another one is refused."""
    file = tmp_path / "quickjs.wasm"
    monkeypatch.setattr(fetching, "ENGINE", file)
    for before in (None, b"another"):
        if before is not None:
            file.write_bytes(before)
        assert fetching.fetch(only_with_npm=True) == "Fetched quickjs.wasm."
        assert file.read_bytes() == ENGINE
        assert [each.name for each in tmp_path.iterdir()] == ["quickjs.wasm"]
    assert fetching.fetch(only_with_npm=True) == ""
    file.unlink()
    monkeypatch.setattr(fetching, "SHA256", "0" * 64)
    with pytest.raises(fetching.WrongEngine):
        fetching.fetch(only_with_npm=True)
    assert not file.exists()


def test_no_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where npm is not found, the service is told to go on without scripts."""
    monkeypatch.setattr(fetching, "ENGINE", tmp_path / "quickjs.wasm")
    monkeypatch.setattr(fetching.shutil, "which", lambda *_, **__: None)
    assert fetching.fetch(only_with_npm=True).startswith(
        "Scripts are off: npm, which fetches their engine, was not found"
    )
