"""Bytes that no well-behaved client sends, some that look like it and are fine, and what is answered to each.

Behind each lies one more request, the canary. It is answered where the connection goes on, and must not be seen by
anybody where it ends: not by a plugin, not by the app.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

BASE = "/api/wfx/v1"
CANARY = "/canary"
_HOST = b"Host: wfx.test\r\n"
_GET = b"GET %b HTTP/1.1\r\n"
_JOB = b"GET /api/wfx/v1/jobs/x HTTP/1.1\r\n"
_POST = b"POST /api/wfx/v1/jobs HTTP/1.1\r\nContent-Type: application/json\r\n"
_CHUNKED = _POST + _HOST + b"Transfer-Encoding: chunked\r\n\r\n"
_END = b"0\r\n\r\n"

TAKES = "the reference takes it"
OTHER = "the reference answers {}"
SCHEMA = "the body breaks the schema, nothing else is wrong"


@dataclass(frozen=True, slots=True)
class Case:
    """One input."""

    row: int
    """The row of the list of faults that it belongs to."""
    name: str
    data: bytes
    status: int
    ends: bool = True
    """Whether the connection ends with the answer."""
    path: str | None = None
    """The path that plugins and the app see; None if they see nothing."""
    remark: str = ""
    """How the reference differs, where it is known to."""


def canary() -> bytes:
    """The request behind: it asks for the connection to be closed, so that answers can be read to the end."""
    return _GET % CANARY.encode() + _HOST + b"Connection: close\r\n\r\n"


def head(*lines: bytes, target: bytes = b"/api/wfx/v1/jobs/x", host: bytes = _HOST) -> bytes:
    """A GET with these header lines."""
    return _GET % target + host + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def _post(*lines: bytes, body: bytes = b"") -> bytes:
    return _POST + _HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def _framing() -> Iterator[Case]:
    refused = (
        ("Content-Length and Transfer-Encoding", (b"Content-Length: 4", b"Transfer-Encoding: chunked"), TAKES),
        ("Transfer-Encoding and Content-Length", (b"Transfer-Encoding: chunked", b"Content-Length: 4"), TAKES),
        ("two equal Content-Length", (b"Content-Length: 5", b"Content-Length: 5"), TAKES),
        ("two different Content-Length", (b"Content-Length: 5", b"Content-Length: 6"), ""),
        ("`Content-Length: +5`", (b"Content-Length: +5",), ""),
        ("`Content-Length: -5`", (b"Content-Length: -5",), ""),
        ("`Content-Length: 0x5`", (b"Content-Length: 0x5",), ""),
        ("`Content-Length: 5, 5`", (b"Content-Length: 5, 5",), ""),
        ("empty Content-Length", (b"Content-Length: ",), ""),
        ("Content-Length beyond 64 bits", (b"Content-Length: 99999999999999999999",), ""),
        ("`Transfer-Encoding: xchunked`", (b"Transfer-Encoding: xchunked",), OTHER.format(501)),
        ("`Transfer-Encoding: gzip, chunked`", (b"Transfer-Encoding: gzip, chunked",), OTHER.format(501)),
        ("`Transfer-Encoding: chunked, identity`", (b"Transfer-Encoding: chunked, identity",), OTHER.format(501)),
        ("two Transfer-Encoding", (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), ""),
    )
    for name, lines, remark in refused:
        yield Case(26, name, _post(*lines, body=_END), 400, remark=remark)
    data = b"POST /api/wfx/v1/jobs HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + _END
    yield Case(26, "`Transfer-Encoding: chunked` with HTTP/1.0", data, 400, remark="the reference ignores the field")
    data = _post(b"Content-Encoding: Identity", b"Content-Length: 2", body=b"{}")
    yield Case(31, "`Content-Encoding: Identity`", data, 400, ends=False, path=f"{BASE}/jobs", remark=SCHEMA)
    for name, body in (
        ("control character in a chunk extension", b"2;\x01\r\n{}\r\n" + _END),
        ("bare LF in a chunk extension", b"2;a\n{}\r\n" + _END),
        ("bare LF after a chunk size", b"2\n{}\r\n" + _END),
        ("chunk size `+2`", b"+2\r\n{}\r\n" + _END),
        ("chunk size `0x2`", b"0x2\r\n{}\r\n" + _END),
        ("chunk size beyond 64 bits", b"fffffffffffffffff\r\n{}\r\n" + _END),
        ("chunk longer than its size", b"2\r\n{}{}\r\n" + _END),
    ):
        yield Case(26, name, _CHUNKED + body, 400)
    body = b'2;a="b"\r\n{}\r\n0\r\nContent-Encoding: gzip\r\n\r\n'
    yield Case(26, "chunks with an extension, and a trailer, which is no header", _CHUNKED + body, 400, ends=False,
               path=f"{BASE}/jobs", remark=SCHEMA)  # fmt: skip


def _syntax() -> Iterator[Case]:
    for name, data, remark in (
        ("space before a colon", head(b"Accept : */*"), ""),
        ("NUL in a value", head(b"Accept: a\0b"), ""),
        ("NUL in a name", head(b"Acc\0ept: a"), ""),
        ("control character in a value", head(b"Accept: a\x01b"), ""),
        ("bare CR in a value", head(b"Accept: a\rb"), ""),
        ("bare LF after the request line", _JOB[:-2] + b"\n" + _HOST + b"\r\n", TAKES),
        ("bare LF after a field", _JOB + _HOST[:-2] + b"\n\r\n", TAKES),
        ("bare LF for the empty line", _JOB + _HOST + b"\n", TAKES),
        ("folded field", head(b"Accept: a", b" b"), TAKES),
        ("space before the first field", _JOB + b" " + _HOST + b"\r\n", ""),
        ("field without a name", head(b": a"), ""),
        ("field without a colon", head(b"Accept"), ""),
        ("no Host", _JOB + b"\r\n", ""),
        ("two Hosts", _JOB + _HOST + _HOST + b"\r\n", ""),
        ("two spaces before a target", b"GET  /version HTTP/1.1\r\n" + _HOST + b"\r\n", ""),
        ("two spaces behind a target", b"GET /version  HTTP/1.1\r\n" + _HOST + b"\r\n", ""),
        ("space behind a version", b"GET /version HTTP/1.1 \r\n" + _HOST + b"\r\n", ""),
        ("`RTSP/1.1`", b"GET /version RTSP/1.1\r\n" + _HOST + b"\r\n", ""),
        ("`ICE/1.0`", b"SOURCE /version ICE/1.0\r\n" + _HOST + b"\r\n", ""),
        ("`http/1.1`", b"GET /version http/1.1\r\n" + _HOST + b"\r\n", ""),
    ):
        yield Case(27, name, data, 400, remark=remark)


def _protocols() -> Iterator[Case]:
    yield Case(27, "no Host, HTTP/1.0", b"GET /api/wfx/v1/jobs/x HTTP/1.0\r\n\r\n", 404, path=f"{BASE}/jobs/x")
    yield Case(27, "`HTTP/2.0`", b"GET / HTTP/2.0\r\n" + _HOST + b"\r\n", 505)
    yield Case(27, "`HTTP/1.2`", b"GET / HTTP/1.2\r\n" + _HOST + b"\r\n", 400, remark=TAKES)
    yield Case(27, "HTTP/0.9", b"GET /\r\n\r\n", 505, remark=OTHER.format(400))
    for name, data in (
        ("a method nobody knows", b"BREW / HTTP/1.1\r\n" + _HOST + b"\r\n"),
        ("a method in lower case", b"get / HTTP/1.1\r\n" + _HOST + b"\r\n"),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ):
        yield Case(27, name, data, 405, remark=OTHER.format(400) if name == "TLS" else "")
    yield Case(27, "empty lines before a request", b"\r\n\r\n" + head(), 404, ends=False, path=f"{BASE}/jobs/x")
    yield Case(27, "an offer to change the protocol", head(b"Connection: Upgrade", b"Upgrade: websocket"), 404,
               ends=False, path=f"{BASE}/jobs/x")  # fmt: skip
    offer = (b"Connection: Upgrade", b"Upgrade: websocket")
    for name, framing, body in (
        ("Content-Length", b"Content-Length: 2", b"{}"),
        ("chunks", b"Transfer-Encoding: chunked", b"2\r\n{}\r\n" + _END),
    ):
        data = _post(*offer, framing, body=body)
        yield Case(26, f"an offer to change the protocol, with a body ({name})", data, 400, ends=False,
                   path=f"{BASE}/jobs", remark=SCHEMA)  # fmt: skip
    yield Case(27, "an offer of HTTP/2", head(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c",
               b"HTTP2-Settings: AAMAAABkAAQAAP__"), 404, ends=False, path=f"{BASE}/jobs/x")  # fmt: skip


def _hosts() -> Iterator[Case]:
    for host in (b"h/admin?", b"u@h", b"h h", b"h:8o", b"[::1", b"h\xff", b"h:65536", b":80"):
        yield Case(28, f"`Host: {host.decode('latin-1')}`", head(host=b"Host: %b\r\n" % host), 400, remark=TAKES)
    for host in (b"", b"h:80", b"h:", b"h:65535", b"[::1]:80", b"h.example."):
        shown = f"`Host: {host.decode()}`" if host else "empty Host"
        yield Case(28, shown, head(host=b"Host: %b\r\n" % host), 404, ends=False, path=f"{BASE}/jobs/x")


def _targets() -> Iterator[Case]:
    for target in (
        b"*",
        b"ftp://h/x",
        b"http://u@h/x",
        b"http:///x",
        b"/x#y",
        b"x",
        b"/\x7f",
        b"/x\ty",
        b"/x y",
        b"http://h\xff/x",
    ):
        shown = repr(target)[2:-1]
        yield Case(28, f"target `{shown}`", head(target=target), 400)
    for target in (b"h:80", b"/x", b"http://h/x"):
        yield Case(28, f"`CONNECT {target.decode()}`", b"CONNECT %b HTTP/1.1\r\n" % target + _HOST + b"\r\n", 400,
                   remark=OTHER.format(404))  # fmt: skip
    for target, status, path in (
        (b"http://other.test" + f"{BASE}/jobs/x".encode(), 404, f"{BASE}/jobs/x"),
        (b"http://other.test?x", 204, "/"),
        (b"//x", 307, "//x"),
        (b"/./x", 307, "/./x"),
        (b"/api/../x", 307, "/api/../x"),
        (f"{BASE}/jobs/a%2Fb".encode(), 404, f"{BASE}/jobs/a%2Fb"),
        (f"{BASE}/jobs/..%2f..%2fhealth".encode(), 404, f"{BASE}/jobs/..%2f..%2fhealth"),
        (f"{BASE}/jobs/%00".encode(), 404, f"{BASE}/jobs/%00"),
        (f"{BASE}/jobs/%ff%fe".encode(), 404, f"{BASE}/jobs/%ff%fe"),
        (f"{BASE}/jobs/%zz".encode(), 404, f"{BASE}/jobs/%zz"),
        (f"{BASE}/%6aobs".encode(), 404, f"{BASE}/%6aobs"),
        (f"{BASE}/jobs/K\xfchlhaus-3".encode(), 404, f"{BASE}/jobs/K%C3%BChlhaus-3"),
        (f"{BASE}/jobs?clientId=K\xfchlhaus-3".encode(), 200, f"{BASE}/jobs"),
        (f"{BASE}/jobs?\xfc=\xfc".encode(), 200, f"{BASE}/jobs"),
        (f"{BASE}/jobs/".encode() + b"\xff\xfe", 404, f"{BASE}/jobs/%FF%FE"),
        (f"http://other.test{BASE}/jobs/\xfc".encode(), 404, f"{BASE}/jobs/%C3%BC"),
    ):
        shown = target.decode("utf-8", "backslashreplace")
        yield Case(28, f"target `{shown}`", head(target=target), status, ends=False, path=path)


def _sizes() -> Iterator[Case]:
    path = f"{BASE}/jobs/x"
    plain = len(head(b"X: "))
    most = 1_000_000 + 4096
    field = b"X-Filler: "
    yield Case(29, "the largest header", head(b"X: " + b"y" * (most - plain)), 404, ends=False, path=path)
    yield Case(29, "one byte more", head(b"X: " + b"y" * (most - plain + 1)), 431)
    yield Case(29, "a field of 1 MB more", head(b"X: " + b"y" * 2_000_000), 431)
    yield Case(29, "200 fields", head(*[field] * 199), 404, ends=False, path=path, remark="no limit of its own")
    yield Case(29, "201 fields", head(*[field] * 200), 431, remark=TAKES)
    yield Case(29, "20,000 fields", head(*[field + b"z"] * 20_000), 431, remark=TAKES)
    base = f"{BASE}/jobs/".encode()
    most = 64 * 1024
    yield Case(29, "the longest target", head(target=base + b"i" * (most - len(base))), 404, ends=False,
               path=f"{BASE}/jobs/{'i' * (most - len(base))}", remark="no limit of its own")  # fmt: skip
    yield Case(29, "one byte more", head(target=base + b"i" * (most - len(base) + 1)), 414, remark=TAKES)
    yield Case(29, "a target of 1 MB", head(target=base + b"i" * 1_000_000), 414, remark=OTHER.format(431))
    yield Case(29, "a trailer of 2 MB", _CHUNKED + b"2\r\n{}\r\n0\r\nX: " + b"y" * 2_000_000 + b"\r\n\r\n", 431)


CASES = [*_framing(), *_syntax(), *_protocols(), *_hosts(), *_targets(), *_sizes()]
