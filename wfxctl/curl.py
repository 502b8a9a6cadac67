"""``--verbose``: requests as command lines of curl, with secrets masked."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

from wfx.commandline.client_tls import ClientTls
from wfx.commandline.http_addresses import without_credentials
from wfxctl.targets import Target

_LONGEST_BODY = 4096
_MASK = "***"


def command(
    target: Target,
    tls: ClientTls,
    method: str,
    url: str,
    headers: Mapping[str, str],
    secret: Iterable[tuple[str, str]],
    body: bytes | Iterable[bytes] | None,
) -> str:
    """Return the command line for a request; ``secret`` are headers whose values are not shown."""
    words = ["curl"]
    words += [] if method == "GET" else ["-X", method]
    words.append(without_credentials(url))
    words += ["--unix-socket", target.socket] if target.socket else []
    words += ["--proxy", without_credentials(target.proxy)] if target.proxy else []
    if url.startswith("https:"):
        files = (("--cacert", tls.ca), ("--cert", tls.certificate), ("--key", tls.key))
        words += [word for option, name in files if name for word in (option, name)]
    words += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    words += [word for name, value in secret for word in ("-H", f"{name}: {_masked(name, value)}")]
    if isinstance(body, bytes) and len(body) <= _LONGEST_BODY:
        words += ["--data-binary", body.decode("utf-8", "replace")]
    elif body is not None:
        words += ["--data-binary", "@-"]
    return shlex.join(words)


def _masked(name: str, value: str) -> str:
    scheme, blank, _ = value.partition(" ")
    return f"{scheme} {_MASK}" if blank and name.lower() == "authorization" else _MASK
