"""Headers that go with every request: the bearer token, and those of ``--header``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from wfx.commandline.config_files import FileValue
from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.options import Settings

TOKEN_VARIABLE = "WFX_TOKEN"  # noqa: S105  # the name of the variable
_LARGEST = 64 * 1024
"""Bytes of a file with a token."""
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_FRAMING = frozenset(
    ("connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
)
"""Headers that say how the request itself is sent."""

Headers = list[tuple[str, str]]


def headers(settings: Settings, environment: Mapping[str, str], preset: Mapping[str, FileValue]) -> Headers:
    """Return the headers of every request.

    Those of ``--header`` replace those of the context that have the same name, and a token too. Raises UsageFailure for
    what is no header, and Failure for a token that cannot be read; never with the secret itself.
    """
    found: dict[str, tuple[str, str]] = {}
    if token := _token(settings, environment):
        found["authorization"] = ("Authorization", f"Bearer {token}")
    of_context = preset.get("header")
    lines = of_context.value if of_context is not None and isinstance(of_context.value, list) else []
    for line in [*lines, *settings.items("header")]:
        name, value = header(line)
        found[name.lower()] = (name, value)
    return list(found.values())


def header(line: str) -> tuple[str, str]:
    """Return name and value of a header. Raises UsageFailure, without the value, for what cannot be sent as one."""
    name, colon, value = (part.strip(" \t") for part in line.partition(":"))
    if not colon or not _NAME.fullmatch(name):
        raise UsageFailure('a header must read "Name: value"')
    if name.lower() in _FRAMING:
        raise UsageFailure(f"the header {name} cannot be set: it says how the request itself is sent")
    if not _VALUE.fullmatch(value):
        raise UsageFailure(f"the value of the header {name} must consist of printable ASCII characters")
    return name, value


def _token(settings: Settings, environment: Mapping[str, str]) -> str:
    """Return the token: a flag beats the variables, of which the token itself comes first."""
    name = settings.text("token-file")
    if not settings.is_flag("token-file") and TOKEN_VARIABLE in environment:
        return _checked(environment[TOKEN_VARIABLE].strip(), TOKEN_VARIABLE)
    if not name:
        return ""
    try:
        with open(name, "rb") as file:  # noqa: PTH123  # also /dev/stdin, and what a shell passes by number
            content = file.read(_LARGEST + 1)
    except OSError as exc:
        raise Failure(f"cannot read the token file {name}: {exc.strerror}") from exc
    token = content.decode("utf-8", "replace").strip()
    if not token:
        raise Failure(f"the token file {name} is empty")
    return _checked(token, f"the token file {name}")


def _checked(token: str, source: str) -> str:
    if token and (len(token) > _LARGEST or not _TOKEN.fullmatch(token)):
        raise Failure(f"{source} does not hold a token: it must be one word of printable ASCII characters")
    return token
