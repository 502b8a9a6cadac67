"""Files with secrets that options name: passwords, and keys that webhooks are signed with."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from wfx.protection.key_ring import KeyRing, parse_keys

OPTIONS = ("webhook-secret-file", "smtp-password-file", "encryption-keys-file")
"""Options that name a file with nothing but secrets."""
_LARGEST = 64 * 1024
_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)
"""What Standard Webhooks allows."""
_MOST_KEYS = 4


def read_password(path: str) -> str:
    """Return the password in a file, without blanks and line ends around it; none without a file.

    Raises ValueError, without anything of the content.
    """
    if not path:
        return ""
    content = _content(path)
    if not content or not content.isprintable():
        raise ValueError(f"{path} does not hold a password, which is one line of visible characters")
    return content


def read_webhook_keys(path: str) -> tuple[bytes, ...]:
    """Return the keys that stand in the lines of a file; none without a file. Raises ValueError, as above."""
    if not path:
        return ()
    lines = [line.strip() for line in _content(path).splitlines() if line.strip()]
    if not 0 < len(lines) <= _MOST_KEYS:
        raise ValueError(f"{path} has {len(lines)} lines, and not one to {_MOST_KEYS}, each with a secret")
    return tuple(_key(line, f"line {number} of {path}") for number, line in enumerate(lines, 1))


def read_encryption_keys(keys: str, path: str) -> KeyRing | None:
    """Return the keys that are given, or stand in a file; None without either. Raises ValueError, as above."""
    if keys and path:
        raise ValueError("there are keys in encryption-keys, too: give them in one of both")
    text = keys or (_content(path) if path else "")
    return parse_keys(text) if keys or path else None


def _key(line: str, where: str) -> bytes:
    text = line.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in _KEY_BYTES:
        raise ValueError(
            f'{where} is not "{_PREFIX}" and {_KEY_BYTES[0]} to {_KEY_BYTES[-1]} bytes in base64; '
            f'make one by: echo "{_PREFIX}$(openssl rand -base64 32)"'
        )
    return key


def _content(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as exc:
        raise ValueError(f"{path} cannot be read: {exc.strerror}") from exc
    except ValueError as exc:  # a null character
        raise ValueError(f"this is no name of a file: {exc}") from exc
    if len(content) > _LARGEST:
        raise ValueError(f"{path} has more than {_LARGEST:,} bytes")
    try:
        return content.decode().strip()
    except UnicodeDecodeError as exc:
        raise ValueError(f"{path} is not UTF-8") from exc
