"""Certificate authorities for tests, and what they sign, by the program openssl."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates of servers and clients."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        """Make its own certificate."""
        self._folder = folder
        self.certificate, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        _openssl("req", "-x509", *_KEY, "-keyout", self.key, "-out", self.certificate, "-subj", f"/CN={name}")

    def sign(
        self, name: str, subject: str = "", names: str = "DNS:localhost,IP:127.0.0.1", *, expired: bool = False
    ) -> Certificate:
        """Make a certificate, perhaps one that was good for a day two years ago."""
        request, extensions = self._folder / f"{name}.csr", self._folder / f"{name}.extensions"
        made = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        extensions.write_text(f"subjectAltName={names}\n")
        _openssl("req", *_KEY, "-utf8", "-keyout", made.key, "-out", request, "-subj", subject or f"/CN={name}")
        made.key.chmod(0o600)
        _openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
            "-days", "1", "-extfile", extensions, "-out", made.certificate, past=expired,
        )  # fmt: skip
        return made

    def trusting(self, shown: Certificate | None = None) -> ssl.SSLContext:
        """Settings of a client that trusts this authority, and shows a certificate."""
        context = ssl.create_default_context(cafile=self.certificate)
        if shown is not None:
            context.load_cert_chain(shown.certificate, shown.key)
        return context


class Certificates:
    """An authority, a server and a client that it has signed, and a stranger that signs itself."""

    def __init__(self, folder: Path) -> None:
        """Make all of them."""
        authority, stranger = Authority(folder, "ca"), Authority(folder, "stranger")
        self.ca = authority.certificate
        self.stranger, self.stranger_key = stranger.certificate, stranger.key
        self._server = authority.sign("server", names="DNS:localhost")
        client = authority.sign("client")
        self.client, self.client_key = client.certificate, client.key
        self.client_both = folder / "client-both.pem"
        self.client_both.write_bytes(self.client.read_bytes() + self.client_key.read_bytes())

    def server(self, *, mutual: bool = False) -> ssl.SSLContext:
        """Settings of a server, which may want its clients to have a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._server.certificate, self._server.key)
        if mutual:
            context.load_verify_locations(self.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def encrypt_key(self) -> Path:
        """Make a copy of the client's key that needs a password."""
        path = self.client_key.with_name("encrypted.key")
        _openssl("pkey", "-in", self.client_key, "-aes256", "-passout", "pass:secret", "-out", path)
        return path


def _openssl(*arguments: str | Path, past: bool = False) -> None:
    before = ("faketime", "2 years ago") if past else ()
    subprocess.run([*before, "openssl", *arguments], check=True, capture_output=True, timeout=60)
