"""Kinds of frames between the server and its filter workers (:mod:`wfx.sandbox.frames`).

    CHECK  →  VALID | FAILING | SYNTAX with a message in the head
    RUN    →  RAN with the output in the body

The head of a request is the most bytes of output, a space and the program; its body is the document.
"""

CHECK = b"c"
"""Asks whether something is a program."""
RUN = b"r"

VALID = b"v"
FAILING = b"f"
"""A program that runs into an error before its first output, whatever the document."""
SYNTAX = b"s"
"""Not a program; the head says where it goes wrong."""
RAN = b"e"
