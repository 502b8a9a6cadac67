"""Messages between the server and its filter workers.

A request is a kind, the lengths of a program and a document, and these two in UTF-8. An answer is a kind, whether the
worker ends now (because it has grown), the seconds of processor time that the request took so far, a length and that
many bytes. A worker says READY first, then one of

    CHECK  →  VALID | FAILING | SYNTAX with a message | MEMORY
    RUN    →  any number of CHUNK, then END | MEMORY | OUTPUT
"""

from __future__ import annotations

from enum import Enum
from struct import Struct


class Request(bytes, Enum):
    """What is wanted of a worker."""

    CHECK = b"c"
    """Is this a program?"""
    RUN = b"r"


class Answer(bytes, Enum):
    """What a worker says."""

    READY = b"+"
    VALID = b"v"
    FAILING = b"f"
    """A program that runs into an error before its first output, whatever the document."""
    SYNTAX = b"s"
    """Not a program; the content says where it goes wrong."""
    CHUNK = b"o"
    """A part of the output."""
    END = b"e"
    MEMORY = b"m"
    OUTPUT = b"l"


REQUEST_HEADER = Struct(">cII")
ANSWER_HEADER = Struct(">c?fI")
