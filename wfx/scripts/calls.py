"""Calls of WebAssembly functions that take and give 32-bit integers. Never imported by the server.

wasmtime's own ``Func.__call__`` looks up the types of a function each time, which takes four times as long as the call.
"""

from __future__ import annotations

import ctypes

import wasmtime
from wasmtime import _ffi


class IntegerCall:
    """A function of an instance, ready to be called."""

    def __init__(self, store: wasmtime.Store, function: wasmtime.Func) -> None:
        """Look up its types, for once."""
        kind = function.type(store)
        context = store._context()  # noqa: SLF001 - see tests/repository/third_party_internals.yml
        self._function = function._func  # noqa: SLF001 - likewise
        self._arguments = (_ffi.wasmtime_val_t * len(kind.params))()
        for argument in self._arguments:
            argument.kind = _ffi.WASMTIME_I32.value  # type: ignore[assignment]
        self._results = (_ffi.wasmtime_val_t * len(kind.results))()
        self._trap = ctypes.POINTER(_ffi.wasm_trap_t)()
        self._given = (
            *(context, ctypes.byref(self._function), self._arguments, len(self._arguments)),
            *(self._results, len(self._results), ctypes.byref(self._trap)),
        )

    def __call__(self, *arguments: int) -> int:
        """Call it; a function without a result gives 0. Raises wasmtime.Trap."""
        for place, value in zip(self._arguments, arguments, strict=True):
            place.of.i32 = value
        error = _ffi.wasmtime_func_call(*self._given)
        if bool(error):  # a null pointer is false
            raise wasmtime.WasmtimeError._from_ptr(error)  # noqa: SLF001 - likewise
        if bool(self._trap):
            raise wasmtime.Trap._from_ptr(self._trap)  # noqa: SLF001 - likewise; the instance is given up then
        return int(self._results[0].of.i32) if self._results else 0
