"""Configuration of wasmtime: the same where the engine is compiled and where it runs."""

from __future__ import annotations

import wasmtime

RESERVED = 4 * 1024**3
"""Bytes of address space for each instance. So much, since no access then needs a check of its own: it doubles the
speed. What is not used costs nothing."""
GUARD = 32 * 1024**2
STACK = 1024**2
"""Bytes of stack of this process that a script may take: less than the 8 MiB that a process usually has."""


def engine() -> wasmtime.Engine:
    """Return an engine that compiles and runs the same everywhere, one thread and no file."""
    config = wasmtime.Config()
    config.parallel_compilation = False
    config.memory_reservation = RESERVED
    config.memory_guard_size = GUARD
    config.memory_may_move = False
    config.memory_init_cow = False
    config.max_wasm_stack = STACK
    config.cranelift_nan_canonicalization = True  # else the bits of NaN, which scripts can see, depend on the machine
    return wasmtime.Engine(config)
