"""Kinds of frames between the script engine and its workers (:mod:`wfx.sandbox.frames`); heads are JSON.

    PREPARE  →  PREPARED: the head is ``[memory, seconds, operations, output]``, the body the engine, compiled
    COMPILE  →  COMPILED with the bytecode in the body, or FAULT; the body is the source
    ANALYSE  →  ANALYSED; the body is the source, the head of the answer a list of ``[type, severity, message, place]``
    RUN      →  RAN; the head is ``[bytes of the bytecode, milliseconds since 1970]``, the body the bytecode and the
                input

The head of FAULT and RAN is ``[outcome, message, line and column or null, steps of operations]``, the body of
RAN the result.
"""

PREPARE = b"p"
PREPARED = b"P"
COMPILE = b"c"
COMPILED = b"C"
FAULT = b"f"
ANALYSE = b"a"
ANALYSED = b"A"
RUN = b"r"
RAN = b"R"
