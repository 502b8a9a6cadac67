"""Addresses of HTTP servers in options: what is one, and what of it is shown."""

from __future__ import annotations

import pytest

from wfx.commandline.http_addresses import is_http_address, without_credentials


@pytest.mark.parametrize(("url", "is_one", "shown"), [
    ("https://kroki.example/svg", True, "https://kroki.example/svg"),
    ("http://user:secret@proxy.example:3128", True, "http://proxy.example:3128"),
    ("http://user:a@b@proxy.example/", True, "http://proxy.example/"),
    ("https://kroki.example/svg?to=a@b.example", True, "https://kroki.example/svg?to=a@b.example"),
    ("http://user:secret@", False, "http://"),
    ("http://user:a://b@proxy.example:99999", False, "http://proxy.example:99999"),
    ("user:secret@proxy.example", False, "proxy.example"),
    ("ftp://user:secret@proxy.example", False, "ftp://proxy.example"),
])  # fmt: skip
def test_addresses(url: str, is_one: bool, shown: str) -> None:
    """An address has the scheme of HTTP and a host; it is shown without name and password, and so is what is none."""
    assert (is_http_address(url), without_credentials(url)) == (is_one, shown)
