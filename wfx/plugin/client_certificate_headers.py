"""Header fields that tell plugins whom a client's certificate names; clients cannot send them."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Scope

from wfx.request_context import ClientCertificate

RawHeader = tuple[bytes, bytes]

_PREFIX = b"x-wfx-client-cert-"
_LIKE_IT = frozenset({b"x", b"X"})


def with_certificate_headers(scope: Scope, certificate: ClientCertificate | None) -> Scope:
    """Give the scope with the fields of the verified certificate, and with no others of their kind."""
    kept = [field for field in scope["headers"] if field[0][:1] not in _LIKE_IT or not _is_reserved(field[0])]
    if certificate is None and len(kept) == len(scope["headers"]):
        return scope
    return {**scope, "headers": [*kept, *(() if certificate is None else _fields(certificate))]}


def _is_reserved(name: bytes) -> bool:
    """Tell whether a name is one of ours, also for programs to which ``_`` and ``-`` are the same (CGI)."""
    return name.lower().replace(b"_", b"-").startswith(_PREFIX)


def _fields(certificate: ClientCertificate) -> Iterable[RawHeader]:
    yield _PREFIX + b"subject", certificate.subject.encode("ascii")
    for name in certificate.alternative_names:
        yield _PREFIX + b"san", name.encode("ascii")
    yield _PREFIX + b"sha256", certificate.sha256.encode("ascii")
