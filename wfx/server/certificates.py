"""Identity in a client's certificate, as text that fits into headers and log records."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from wfx.request_context import ClientCertificate

_SHORT = {
    "commonName": "CN",
    "countryName": "C",
    "domainComponent": "DC",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "stateOrProvinceName": "ST",
    "streetAddress": "STREET",
    "userId": "UID",
}
"""Names of attributes in OpenSSL, and in RFC 4514 section 3."""
_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "%,\"'")


def client_certificate(transport: asyncio.BaseTransport) -> ClientCertificate | None:
    """Return the identity of a connection's client; None if it has shown no certificate that was verified."""
    found: dict[str, Any] | None = transport.get_extra_info("peercert")
    if not found:
        return None
    encoded = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return ClientCertificate(
        subject=_subject(found.get("subject", ())),
        alternative_names=tuple(
            f"{kind.replace(' ', '-')}:{quote(name, safe=_PLAIN)}"
            for kind, name in found.get("subjectAltName", ())
            if isinstance(name, str)
        ),
        sha256=hashlib.sha256(encoded).hexdigest(),
    )


def _subject(names: Iterable[Iterable[tuple[str, str]]]) -> str:
    """Write a distinguished name (RFC 4514), in ASCII and with the most specific part first."""
    return ",".join(
        "+".join(f"{_SHORT.get(kind, kind)}={_escaped(value)}" for kind, value in parts)
        for parts in reversed(list(names))
    )


def _escaped(value: str) -> str:
    """Escape what has a meaning, and as bytes in hexadecimal what is no visible ASCII character (section 2.4)."""
    text = re.sub(r'([,+"\\<>;=])', r"\\\1", value)
    text = re.sub(r"[^ -~]", lambda found: "".join(f"\\{byte:02X}" for byte in found[0].encode()), text)
    text = re.sub(r"^[ #]", r"\\\g<0>", text)
    return re.sub(r" $", r"\\ ", text)
