"""TLS of the client programs: whom they trust, and how they prove who they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from wfx.commandline.failures import ConfigurationFailure, UsageFailure
from wfx.commandline.options import ANY_FILE, Kind, Option, Settings

if TYPE_CHECKING:  # slow to import, and few calls speak TLS
    from ssl import SSLContext

# The server's own certificate is named tls-certificate, and programs may share its file: these need names of their own.
OPTIONS = (
    Option("tls-ca", Kind.STRING, "file with further trusted CA certificates (PEM)", extensions=ANY_FILE),
    Option(
        "tls-client-certificate",
        Kind.STRING,
        "file with the certificate to show to servers that want one, and its chain (PEM)",
        extensions=ANY_FILE,
    ),
    Option(
        "tls-client-key",
        Kind.STRING,
        "file with the unencrypted key of that certificate (PEM); by default in the same file",
        extensions=ANY_FILE,
    ),
)


@dataclass(frozen=True, slots=True)
class ClientTls:
    """Names of the files; empty for none."""

    ca: str = ""
    certificate: str = ""
    key: str = ""

    @classmethod
    def of(cls, settings: Settings) -> ClientTls:
        """Take them from the options. Raises UsageFailure for a key without a certificate."""
        found = cls(*(settings.text(option.name) for option in OPTIONS))
        if found.key and not found.certificate:
            raise UsageFailure("--tls-client-key needs --tls-client-certificate")
        return found

    @property
    def names_files(self) -> bool:
        """Whether there is anything that could be wrong with them."""
        return bool(self.ca or self.certificate)

    def context(self) -> SSLContext:
        """Read them, beside the system's certificates. Raises ConfigurationFailure for a file that cannot be used."""
        import ssl

        context = ssl.create_default_context()
        if self.ca:
            _trust(context, self.ca)
        if self.certificate:
            _identify(context, self.certificate, self.key)
        return context


def _trust(context: SSLContext, ca: str) -> None:
    import ssl

    try:
        context.load_verify_locations(ca)
    except ssl.SSLError as exc:
        if exc.reason != "NO_CERTIFICATE_OR_CRL_FOUND":  # a file without any certificate adds nothing
            raise ConfigurationFailure(f"cannot use CA file {ca}: {exc.reason}") from exc
    except OSError as exc:
        raise ConfigurationFailure(f"cannot read CA file {ca}: {exc.strerror}") from exc


def _identify(context: SSLContext, certificate: str, key: str) -> None:
    import ssl

    def encrypted() -> NoReturn:
        raise ConfigurationFailure(f"cannot use client key {key or certificate}: it is encrypted")

    files = f"client certificate {certificate}" + (f" with key {key}" if key else "")
    try:
        context.load_cert_chain(certificate, key or None, encrypted)
    except ssl.SSLError as exc:
        raise ConfigurationFailure(f"cannot use {files}: {exc.reason or 'no certificate with its key'}") from exc
    except OSError as exc:
        raise ConfigurationFailure(f"cannot read {files}: {exc.strerror}") from exc
