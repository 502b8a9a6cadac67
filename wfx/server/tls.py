"""TLS settings of the listeners, read from the certificate files, and read again on demand."""

from __future__ import annotations

import logging
import os
import ssl
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

from wfx.config.cross_checks import OptionRefused
from wfx.config.options import Config
from wfx.server.engine import protocols_of
from wfx.server.tls_alerts import AlertingContext

log = logging.getLogger("wfx")

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Ciphers of TLS 1.2; those of TLS 1.3 are all good."""


class CannotUseTls(OptionRefused):
    """A certificate, key or CA file cannot be used; the message names the option, the file and the reason."""


def files_of(config: Config) -> list[str]:
    """Return the files that TLS is read from; none if no listener has it."""
    files = (config.tls_certificate, config.tls_key, config.tls_ca) if "https" in config.scheme else ()
    return [path for path in files if path]


class Tls:
    """Settings of TLS for new connections; open connections keep those that they began with."""

    def __init__(self, config: Config) -> None:
        """Read the files; clients need a certificate if there is a CA. Raises CannotUseTls."""
        self._protocols = protocols_of(config.http_engine)
        self.context = self._read(config)
        """For the next handshake. It is replaced as a whole, so that sessions of an earlier one are not resumed."""

    @classmethod
    def of(cls, config: Config) -> Tls | None:
        """Read the files of a configuration; None if it has no listener with TLS. Raises CannotUseTls."""
        if "https" not in config.scheme:
            if config.tls_certificate or config.tls_key or config.tls_ca:
                log.warning(
                    "options tls-certificate, tls-key and tls-ca have no effect: option scheme does not name https"
                )
            return None
        if config.tls_ca and set(config.scheme) != {"https"}:
            log.warning("option tls-ca is for https: listeners of the other schemes ask nobody for a certificate")
        return cls(config)

    def prepare(self, config: Config) -> Callable[[], None]:
        """Read the files that the options name now; return what uses them for connections from then on.

        Raises CannotUseTls, and then changes nothing.
        """
        if "https" not in config.scheme:  # it takes a restart to end HTTPS
            return _nothing
        return partial(setattr, self, "context", self._read(config))

    def _read(self, config: Config) -> ssl.SSLContext:
        certificate, key, ca = config.tls_certificate, config.tls_key, config.tls_ca
        _check_readable("tls-certificate", certificate)
        _check_readable("tls-key", key)
        context = AlertingContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS)
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        context.set_alpn_protocols(self._protocols)
        _read_certificate(context, certificate, key)
        if ca:
            _check_readable("tls-ca", ca)
            _read_authorities(context, "tls-ca", ca)
            context.verify_mode = ssl.CERT_REQUIRED
        if Path(key).stat().st_mode & stat.S_IROTH:
            log.warning("all users of this machine can read the key of option tls-key (%s)", key)
        return context


def _nothing() -> None:
    """Change nothing."""


def _read_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    _read_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "tls-certificate", certificate)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, ValueError) as exc:
        if getattr(exc, "reason", None) == "KEY_VALUES_MISMATCH":
            reason = f"the key in {key} does not belong to the certificate in {certificate}"
            raise CannotUseTls("tls-key", reason) from exc
        raise CannotUseTls("tls-key", f"{key} holds no unencrypted key in PEM format") from exc


def _no_password() -> str:
    """Give a wrong password for an encrypted key, for which OpenSSL would ask at the terminal."""
    return " "


def _check_readable(option: str, path: str) -> None:
    if not path:
        raise CannotUseTls(option, "the scheme https needs a file in PEM format")
    try:
        # A pipe would be waited for, and with it all that runs in the event loop.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise CannotUseTls(option, f"{path} is no regular file")
            os.read(descriptor, 1)
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise CannotUseTls(option, f"cannot read {path}: {exc.strerror}") from exc


def _read_authorities(context: ssl.SSLContext, option: str, path: str) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as exc:
        raise CannotUseTls(option, f"{path} holds no certificate in PEM format") from exc
