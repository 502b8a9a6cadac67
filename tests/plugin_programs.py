"""Plugins for tests are real programs: scripts written into a directory, started by the real host."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from wfx.plugin.chain import PluginChain

ROOT = Path(__file__).parents[1]
DEADLINE = 60.0
"""How long anything may take before a test fails; far more than it needs."""

RAW = """
import os, signal, struct, sys, time
PASS = bytes.fromhex("1c000000100000000000000008000c0000000400080000000700000000000000")

def frame():
    head = sys.stdin.buffer.read(4)
    return sys.stdin.buffer.read(int.from_bytes(head, "little")) if len(head) == 4 else None

def hold():
    while frame():
        pass

def cookie(frame):
    return struct.unpack_from("<Q", frame, 20)[0]

def passed(number):
    return PASS[:24] + struct.pack("<Q", number)

def write(data):
    while data:
        data = data[os.write(1, data):]
"""


@dataclass
class PluginDirectory:
    """A directory of plugins that a test fills."""

    path: Path

    def script(self, name: str, source: str, *, options: str = "-IS", prelude: str = RAW) -> Path:
        """Add a Python program; by default one that speaks the protocol by hand, with RAW before it."""
        file = self.path / name
        file.write_text(f"#!{sys.executable} {options}\n{prelude}\n{dedent(source)}")
        file.chmod(0o755)
        return file

    def sdk(self, name: str, source: str) -> Path:
        """Add a program that uses the SDK."""
        prelude = f"import sys\nsys.path.insert(0, {str(ROOT / 'plugins')!r})\nfrom wfx_plugin import *\n"
        return self.script(name, source, options="-I", prelude=prelude)

    def link(self, name: str, target: str | Path) -> Path:
        """Add a symbolic link."""
        file = self.path / name
        file.symlink_to(target)
        return file


StartChain = Callable[..., Awaitable[PluginChain]]
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]
