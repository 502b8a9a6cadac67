"""Certificates made by openssl: an authority, a server, and a client."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

EXTENSIONS = {"server": "subjectAltName=DNS:localhost", "client": "extendedKeyUsage=clientAuth"}


class Certificates:
    """The files of an authority and of those it vouches for, in one folder."""

    def __init__(self, folder: Path) -> None:
        """Make them."""
        self.folder = folder
        self.ca, self.stranger = folder / "ca.pem", folder / "stranger.pem"
        self.client, self.client_key = folder / "client.pem", folder / "client.key"
        self.client_both = folder / "client-both.pem"
        self.stranger_key = folder / "stranger.key"
        self._make("ca")
        self._make("stranger")
        for name, extension in EXTENSIONS.items():
            self._make(name, "-CA", "ca.pem", "-CAkey", "ca.key", "-addext", extension)
        self.client_both.write_bytes(self.client.read_bytes() + self.client_key.read_bytes())

    def server(self, *, mutual: bool = False) -> ssl.SSLContext:
        """The settings of a server, which may want its clients to have a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        if mutual:
            context.load_verify_locations(self.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def encrypt_key(self) -> Path:
        """A copy of the client's key that needs a password."""
        path = self.folder / "encrypted.key"
        self._openssl("pkey", "-in", "client.key", "-aes256", "-passout", "pass:secret", "-out", path.name)
        return path

    def _make(self, name: str, *more: str) -> None:
        kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
        files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        self._openssl("req", "-x509", *kind, "-subj", f"/CN={name}", *more, *files)

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True, timeout=60)
