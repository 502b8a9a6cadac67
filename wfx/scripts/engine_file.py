"""Where the engine lies, and whether this installation can run scripts.

The engine is ``quickjs.wasm`` of the npm package quickjs-wasi: no part of the repository, fetched when wfx is packaged
(``make script-engine``) and then a part of the wheel. Other bytes than those that were tested are refused.
"""

from __future__ import annotations

import hashlib
import platform
from importlib.util import find_spec
from pathlib import Path

from wfx.sandbox.system_calls import ARCHITECTURES

ENGINE = Path(__file__).with_name("quickjs.wasm")
SHA256 = "c0bd8f296e18cf074969f6401b9ecb72609a1323818ec2b9bf7a8f8d740d1363"
PACKAGES = ("wasmtime", "tree_sitter", "tree_sitter_javascript")

NOT_EXECUTABLE = 77
"""Status of the process that compiles the engine, where the system refuses code that is made while a process runs."""


def missing() -> str:
    """Return why this installation cannot run scripts, and what to do; an empty string if it can. Imports nothing."""
    if platform.machine() not in ARCHITECTURES:
        return f"no confinement for processors of the kind {platform.machine()}: scripts need one of {_known()}"
    if not ENGINE.exists():
        return "this wfx was built without the script engine: build it again where npm is found (make script-engine)"
    if hashlib.sha256(ENGINE.read_bytes()).hexdigest() != SHA256:
        return f"{ENGINE} is not the script engine that belongs to this wfx: reinstall wfx"
    if absent := [name for name in PACKAGES if find_spec(name) is None]:
        return f"the package {absent[0]} is not installed: install wfx with its extra scripts"
    return ""


def _known() -> str:
    return ", ".join(sorted(ARCHITECTURES))
