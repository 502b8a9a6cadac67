"""HTML listing of a directory, in the form of Go's file server."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from wfx.api.downloads.files import MOST_NAMES

_HEAD = '<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n'
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})


def page(names: Iterable[tuple[bytes, bool]]) -> bytes:
    """Write a page of links to these names; those of directories end with a slash."""
    lines = [_line(name + b"/" if is_directory else name) for name, is_directory in names]
    if len(lines) > MOST_NAMES:
        lines[MOST_NAMES:] = [f"(there are more than {MOST_NAMES} names; the rest is not listed)\n"]
    return "".join((_HEAD, *lines, "</pre>\n")).encode()


def _line(name: bytes) -> str:
    link = quote(name, safe="/$+,;=@-_.~")
    return f'<a href="{link}">{name.decode("utf-8", "replace").translate(_ESCAPES)}</a>\n'
