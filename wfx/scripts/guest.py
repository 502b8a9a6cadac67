"""QuickJS: compiles sources and runs them. Never imported by the server.

There are two contexts. The compiler's turns a source into bytecode and never runs it. The one for runs is made without
a compiler: there ``eval``, ``Function`` and every other way to code from text throws, since nothing is there to do it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import wasmtime

from wfx.scripts.instance import Instance
from wfx.scripts.limits import ScriptLimits
from wfx.scripts.runs import Outcome

_DATE, _EVAL, _REGEXP, _JSON, _PROXY, _MAP_SET, _TYPED_ARRAYS, _PROMISE, _BIG_INT = (1 << bit for bit in range(9))
_FOR_RUNS = _DATE | _REGEXP | _JSON | _PROXY | _MAP_SET | _TYPED_ARRAYS | _PROMISE | _BIG_INT
"""The parts of the language that scripts have. Without weak references, which tell when memory is collected."""
_FOR_COMPILING = _FOR_RUNS | _EVAL
_STACK = 256 * 1024
"""Bytes of stack within the memory. A recursion that is deeper throws; one of built-in functions may trap before."""
_JOBS_A_STEP = 100
"""Jobs of promises that count as one step of operations, beside what they do themselves: each costs as much."""
_COMPILER_MEMORY = 64 * 1024**2
_VALUE = 8
"""Bytes of a value of the engine."""
_SCRIPT = b"script"
_HARNESS = Path(__file__).with_name("harness.js").read_bytes()
_LAST = b'\n;typeof main === "function" ? main(payload) : ({ next, payload })'
"""Follows the author's text: its value is the script's."""
_STACK_EXCEEDED = "RangeError: Maximum call stack size exceeded"


class Stopped(Exception):
    """A compilation or a run did not come to its end."""

    def __init__(self, outcome: Outcome, message: str = "", trace: str = "") -> None:
        """Keep why; the trace tells where, in the words of the engine."""
        super().__init__(message)
        self.outcome, self.message, self.trace = outcome, message, trace


class _Context:
    """A context of the engine, with the harness in it."""

    def __init__(self, instance: Instance, harness: bytes) -> None:
        self.instance = instance
        functions = instance.call("qjs_eval_bytecode", instance.put(harness), len(harness))
        self.begin, self.finish, self.settle, self.written, self._describe = (
            instance.call("qjs_get_prop_uint32", functions, number) for number in range(5)
        )
        self._length = instance.numbers(0)
        self._argument = instance.numbers(0)
        self._undefined = instance.call("qjs_get_undefined")
        self._nothing = instance.bytes_at(self._undefined, _VALUE)
        self._exception = instance.bytes_at(self._apply(self.written, self._undefined), _VALUE)
        instance.call("qjs_get_exception")

    def evaluate(self, bytecode: bytes) -> int:
        """Run bytecode and return its value."""
        place = self.instance.put(bytecode)
        return self._checked(self.instance.call("qjs_eval_bytecode", place, len(bytecode)))

    def new_text(self, text: bytes) -> int:
        """Make a string."""
        return self._checked(self.instance.call("qjs_new_string", self.instance.put(text), len(text)))

    def apply(self, function: int, argument: int) -> int:
        """Call a function of the harness with one argument."""
        return self._checked(self._apply(function, argument))

    def text(self, value: int) -> bytes | None:
        """Return a string as UTF-8; None for the value undefined."""
        if self.instance.bytes_at(value, _VALUE) == self._nothing:
            return None
        place = self.instance.call("qjs_get_string_len", value, self._length)
        return self.instance.bytes_at(place, self.instance.number(self._length)) if place else None

    def run_jobs(self) -> None:
        """Run what promises have to do."""
        jobs = 0
        while (state := self.instance.call("qjs_execute_pending_job")) > 0:
            jobs += 1
            if jobs % _JOBS_A_STEP == 0 and self.instance.host.poll():
                break
        if state:
            raise self.stopped()

    def stopped(self) -> Stopped:
        """Say why the engine gave no value."""
        tripped = self.instance.host.tripped
        if tripped is not None:
            return Stopped(tripped)
        exception = self.instance.call("qjs_get_exception")
        if self.instance.call("qjs_is_uncatchable_error", exception):
            return Stopped(Outcome.MEMORY)
        described = self._apply(self._describe, exception)
        if self.instance.host.tripped is not None:
            return Stopped(self.instance.host.tripped)
        text = None if self._is_exception(described) else self.text(described)
        if text is None:
            return Stopped(Outcome.MEMORY)
        message, trace = json.loads(text)
        outcome = Outcome.STACK if message == _STACK_EXCEEDED else Outcome.ERROR
        return Stopped(outcome, message, trace)

    def _apply(self, function: int, argument: int) -> int:
        self.instance.write_number(self._argument, argument)
        return self.instance.call("qjs_call", function, self._undefined, 1, self._argument)

    def _checked(self, value: int) -> int:
        if not value or self._is_exception(value):
            raise self.stopped()
        return value

    def _is_exception(self, value: int) -> bool:
        return self.instance.bytes_at(value, _VALUE) == self._exception


class Guest:
    """The engine in this process, with its two contexts."""

    def __init__(self, module: wasmtime.Module, engine: wasmtime.Engine, limits: ScriptLimits) -> None:
        """Make both."""
        self._limits = limits
        compiler = Instance(module, engine, _COMPILER_MEMORY)
        compiler.initialise(_FOR_COMPILING, _STACK)
        harness = _compiled(compiler, _HARNESS)
        self._compiler = _Context(compiler, harness)
        compiler.keep_image()
        runner = Instance(module, engine, limits.memory)
        runner.initialise(_FOR_RUNS, _STACK)
        self._runner = _Context(runner, harness)
        runner.keep_image()

    @property
    def polls(self) -> int:
        """Steps of operations that the last run has done."""
        return self._runner.instance.host.polls

    def compile(self, source: bytes) -> bytes:
        """Turn a source into bytecode. Raises Stopped.

        The author's text is compiled alone first: else what it lacks would be found missing in what follows it.
        """
        instance = self._compiler.instance
        return self._guarded(instance, 0, lambda: self._compile(source))

    def run(self, bytecode: bytes, text: bytes, milliseconds: int) -> bytes:
        """Run bytecode with an input and return the result as JSON. Raises Stopped.

        The input is a JSON object: payload, next, nflow_data, and seed, a list of three 32-bit numbers.
        """
        instance = self._runner.instance
        return self._guarded(instance, milliseconds, lambda: self._run(bytecode, text))

    def _compile(self, source: bytes) -> bytes:
        try:
            _compiled(self._compiler.instance, source)
            return _compiled(self._compiler.instance, source + _LAST)
        except _NotCompiled:
            stopped = self._compiler.stopped()
        if stopped.outcome is Outcome.ERROR:
            stopped.outcome = Outcome.SYNTAX
        raise stopped

    def _run(self, bytecode: bytes, text: bytes) -> bytes:
        context = self._runner
        context.apply(context.begin, context.new_text(text))
        value = context.evaluate(bytecode)
        result = self._result(context.finish, value)
        if result is None:
            context.run_jobs()
            result = self._result(context.written, context.apply(context.settle, value))
        if result is None or len(result) > self._limits.output:
            raise Stopped(Outcome.OUTPUT if result else Outcome.RESULT, "what the script gives is no JSON")
        return result

    def _result(self, function: int, value: int) -> bytes | None:
        """Have the harness write a value; what goes wrong there is the result's fault."""
        try:
            return self._runner.text(self._runner.apply(function, value))
        except Stopped as stopped:
            if stopped.outcome is Outcome.ERROR:
                stopped.outcome = Outcome.RESULT
            raise

    def _guarded(self, instance: Instance, milliseconds: int, work: Callable[[], bytes]) -> bytes:
        """Do something in a context as it was at first."""
        instance.put_back()
        instance.limit(self._limits.operations, self._limits.seconds, milliseconds * 1_000_000)
        try:
            return work()
        except wasmtime.Trap as trap:
            instance.drop()
            raise Stopped(_outcome_of(trap), str(trap.trap_code)) from trap
        except MemoryError:
            raise Stopped(Outcome.MEMORY) from None
        finally:
            instance.drop_if_grown()


class _NotCompiled(Exception):
    pass


def _compiled(instance: Instance, source: bytes) -> bytes:
    length = instance.numbers(0)
    place = instance.call("qjs_compile", instance.put(source), len(source), instance.put(_SCRIPT), 0, 0, length)
    if not place:
        raise _NotCompiled
    return instance.bytes_at(place, instance.number(length))


def _outcome_of(trap: wasmtime.Trap) -> Outcome:
    exceeded = (wasmtime.TrapCode.STACK_OVERFLOW, wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS)
    return Outcome.STACK if trap.trap_code in exceeded else Outcome.FAILED
