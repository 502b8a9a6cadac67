"""One instance of QuickJS as WebAssembly, whose memory is put back before each use. Never imported by the server.

An :class:`Instance` is made once and initialised; what its memory then holds is its image. ``put_back`` restores it,
so nothing that a run did is left for the next. An instance whose memory grew, or that trapped, is replaced by a new
one with the same image.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import wasmtime

from wfx.scripts.calls import IntegerCall
from wfx.scripts.limits import OPERATIONS_STEP
from wfx.scripts.runs import Outcome

EXPORTS = frozenset(
    (
        "memory", "_initialize", "wasm_malloc", "wasm_free", "qjs_init2", "qjs_set_interrupt_handler",
        "qjs_set_memory_limit", "qjs_set_max_stack_size", "qjs_compile", "qjs_eval_bytecode", "qjs_new_string",
        "qjs_get_undefined", "qjs_call", "qjs_get_exception", "qjs_is_uncatchable_error", "qjs_get_string_len",
        "qjs_execute_pending_job", "qjs_get_prop_uint32",
    )
)  # fmt: skip
"""What is used of the engine."""

_HEADROOM = 4 * 1024**2
"""Bytes that a run can take before its instance has to be replaced."""
_SCRATCH = 128 * 1024
_ALIGNMENT = 8
_FRAGMENTS = 32 * 1024**2
"""Bytes of memory beyond the limit, for what lies unused between the values of a script."""
_PAGE = 4096
_SHORTEST_GAP = 16
"""Pages: fewer empty ones are written rather than given back."""
_MADV_DONTNEED = 4
_NOT_SUPPORTED = 52
"""The answer to all that the engine asks of the system: WASI's ENOSYS."""

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


@dataclass(slots=True)
class Host:
    """What the engine calls. Refers to no instance: wasmtime keeps it until the instance is gone."""

    address: int = 0
    """Where the instance's memory begins."""
    nanoseconds: int = 0
    """The time that the clock shows."""
    polls: int = 0
    most_polls: int = 1 << 62
    deadline: float = float("inf")
    tripped: Outcome | None = None
    now: Callable[[], float] = time.monotonic

    def poll(self) -> int:
        """Count one step of operations; tell whether the script has to end."""
        self.polls += 1
        if self.polls >= self.most_polls:
            self.tripped = Outcome.OPERATIONS
        elif self.now() >= self.deadline:
            self.tripped = Outcome.TIME
        return self.tripped is not None

    def clock(self, _clock: int, _precision: int, target: int) -> int:
        """Write the time."""
        ctypes.memmove(self.address + target, self.nanoseconds.to_bytes(8, "little"), 8)
        return 0

    def function(self, name: str) -> Callable[..., int]:
        """Return what an import of the engine does."""
        known: dict[str, Callable[..., int]] = {"host_interrupt": self.poll, "clock_time_get": self.clock}
        silent = name.startswith("host_") or name == "random_get"
        return known.get(name, _nothing if silent else _refuse)


def _nothing(*_: int) -> int:
    return 0


def _refuse(*_: int) -> int:
    return _NOT_SUPPORTED


@dataclass(frozen=True, slots=True)
class _Image:
    """The memory of an instance that was initialised."""

    content: ctypes.Array[ctypes.c_char]
    written: list[tuple[int, int]]
    """Where it has content: begin and length."""
    empty: list[tuple[int, int]]
    """Where it has none."""
    used: int
    """How much of the scratch space."""


@dataclass(slots=True)
class Instance:
    """An instance, and calls of what it exports. Values of JavaScript are numbers: places of its memory."""

    module: wasmtime.Module
    engine: wasmtime.Engine
    memory_limit: int
    host: Host = field(default_factory=Host)
    _store: Any = None
    _functions: dict[str, IntegerCall] = field(default_factory=dict)
    _memory: Any = None
    _image: _Image | None = None
    _scratch: int = 0
    """A place for what is put into the memory: each use fills it from its begin, so that little is allocated."""
    _used: int = 0

    def initialise(self, intrinsics: int, stack: int) -> None:
        """Make a context with these parts of the language."""
        self._instantiate()
        self.call("_initialize")
        if self.call("qjs_init2", intrinsics):
            raise MemoryError
        self.call("qjs_set_interrupt_handler", 1)
        self.call("qjs_set_memory_limit", self.memory_limit)
        self.call("qjs_set_max_stack_size", stack)
        self._scratch = self.call("wasm_malloc", _SCRATCH)

    def keep_image(self) -> None:
        """Make what the memory holds now what each use begins with."""
        self.call("wasm_free", self.call("wasm_malloc", _HEADROOM))
        content = ctypes.string_at(self.host.address, self.size)
        written = list(_written(content))
        self._image = _Image(
            ctypes.create_string_buffer(content, len(content)),
            written,
            list(_between(written, len(content))),
            self._used,
        )

    def put_back(self) -> None:
        """Begin anew with the image."""
        image = self._image
        assert image is not None
        if self._store is None:
            self._instantiate()
            self._memory.grow(self._store, (len(image.content) - self.size) // 65536)
        self._used = image.used
        base = self.host.address
        source = ctypes.addressof(image.content)
        for begin, length in image.written:
            ctypes.memmove(base + begin, source + begin, length)
        for begin, length in image.empty:
            if _LIBC.madvise(base + begin, length, _MADV_DONTNEED):
                raise OSError(ctypes.get_errno(), "madvise")

    def limit(self, operations: int, seconds: float, nanoseconds: int) -> None:
        """Set the limits and the time of the next use."""
        host = self.host
        host.polls, host.most_polls = 0, -(-operations // OPERATIONS_STEP)
        host.deadline, host.nanoseconds, host.tripped = host.now() + seconds, nanoseconds, None

    def drop_if_grown(self) -> None:
        """Give the memory back if it is larger than the image."""
        if self._store is not None and self._image is not None and self.size > len(self._image.content):
            self.drop()

    def drop(self) -> None:
        """Give all memory back; the next use makes another instance."""
        self._functions, self._memory = {}, None
        self._store.close()
        self._store = None

    @property
    def size(self) -> int:
        """Bytes of its memory."""
        return int(self._memory.data_len(self._store))

    def call(self, name: str, *arguments: int) -> int:
        """Call what it exports. Raises wasmtime.Trap."""
        return self._functions[name](*arguments)

    def put(self, data: bytes) -> int:
        """Copy bytes into the memory, with a zero behind them; return where they are, or raise MemoryError."""
        place = self._place(len(data) + 1)
        ctypes.memmove(self.host.address + place, data + b"\0", len(data) + 1)
        return place

    def numbers(self, *values: int) -> int:
        """Put 32-bit numbers into the memory, one after the other."""
        return self.put(b"".join(value.to_bytes(4, "little") for value in values))

    def number(self, place: int) -> int:
        """Read a 32-bit number."""
        return int.from_bytes(ctypes.string_at(self.host.address + place, 4), "little")

    def write_number(self, place: int, value: int) -> None:
        """Write a 32-bit number."""
        ctypes.memmove(self.host.address + place, value.to_bytes(4, "little"), 4)

    def bytes_at(self, place: int, length: int) -> bytes:
        """Read bytes."""
        return ctypes.string_at(self.host.address + place, length)

    def _place(self, size: int) -> int:
        if size <= _SCRATCH - self._used:
            place = self._scratch + self._used
            self._used += -(-size // _ALIGNMENT) * _ALIGNMENT
        else:
            place = self.call("wasm_malloc", size)
        if not place:
            raise MemoryError
        return place

    def _instantiate(self) -> None:
        self._store = store = wasmtime.Store(self.engine)
        store.set_limits(memory_size=self.memory_limit + _FRAGMENTS, instances=1, memories=1, tables=1)
        functions = [_imported(store, each, self.host) for each in self.module.imports]
        exports = wasmtime.Instance(store, self.module, functions).exports(store)
        calls = {name: each for name, each in exports.items() if isinstance(each, wasmtime.Func)}
        self._functions = {name: IntegerCall(store, each) for name, each in calls.items()}
        self._memory = exports["memory"]
        self.host.address = ctypes.addressof(self._memory.data_ptr(store).contents)


def _imported(store: wasmtime.Store, what: wasmtime.ImportType, host: Host) -> wasmtime.Func:
    kind = what.type
    assert isinstance(kind, wasmtime.FuncType), what.name
    return wasmtime.Func(store, kind, host.function(what.name or ""))


def _written(content: bytes) -> Iterator[tuple[int, int]]:
    """Find the parts of a memory that are not empty, as begin and length; short gaps belong to them."""
    nothing = bytes(_PAGE)
    begin = end = -1
    for page in range(0, len(content), _PAGE):
        if content[page : page + _PAGE] == nothing:
            continue
        if begin >= 0 and page - end > _SHORTEST_GAP * _PAGE:
            yield begin, end - begin
            begin = -1
        begin = page if begin < 0 else begin
        end = page + _PAGE
    if begin >= 0:
        yield begin, end - begin


def _between(parts: list[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    at = 0
    for begin, length in [*parts, (size, 0)]:
        if begin > at:
            yield at, begin - at
        at = begin + length
