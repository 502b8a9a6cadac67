"""Redirects to the clean spelling of a path."""

from __future__ import annotations

import html

from wfx.api.reply import Reply


def cleaned(raw_path: bytes) -> bytes:
    """Remove empty and dot segments; a slash at the very end stays, as Go's mux has it (rest-api section 2)."""
    kept: list[bytes] = []
    segments = raw_path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    end = b"/" if kept and not segments[-1] else b""
    return b"/" + b"/".join(kept) + end


def temporary(path: bytes, query: bytes) -> Reply:
    """Answer that the same request is to be made to another path (307)."""
    target = path + b"?" + query if query else path
    link = html.escape(target.decode("latin-1"))
    body = f'<a href="{link}">Temporary Redirect</a>.\n\n'.encode()
    return Reply(307, body, ((b"content-type", b"text/html; charset=utf-8"), (b"location", target)))
