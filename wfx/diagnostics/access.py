"""Access to the pages under ``/debug``: from some addresses only, and with a secret."""

from __future__ import annotations

from collections.abc import Iterator
from hmac import compare_digest
from urllib.parse import parse_qsl

from starlette.types import Scope

from wfx.api.reply import Reply, text_reply
from wfx.config.tunables import Tunables
from wfx.ip_networks import Peers

_FIELD = b"x-debug-token"
_PARAMETER = "token"
_SCHEME = b"bearer "
_LONGEST = 8192
"""Bytes of a query string that is looked at."""


class Access:
    """What the options say about who may see the pages."""

    def __init__(self, tunables: Tunables) -> None:
        """Take the options."""
        self.enabled = tunables.debug_enabled and bool(tunables.debug_auth_token)
        self._secret = tunables.debug_auth_token.encode("utf-8", "surrogateescape")
        self._allowed = Peers(tunables.debug_allowed_ips) if tunables.debug_allowed_ips else None

    def refusal(self, scope: Scope) -> Reply | None:
        """Return the answer to who may not see the pages: 403 by address, 401 without the secret.

        The address is looked at first, so that nobody from elsewhere can try secrets. It is that of the client, where a
        trusted proxy has passed the request on.
        """
        if self._allowed is not None and not self._allowed.include(scope.get("client")):
            return text_reply(
                403, "this address may not see /debug; the option --debug-allowed-ips lists those that may"
            )
        # All are compared, and each in constant time.
        shown = [compare_digest(secret, self._secret) for secret in _secrets(scope)]
        if not any(shown):
            return text_reply(
                401, "this needs the secret of the option --debug-auth-token", ((b"www-authenticate", b"Bearer"),)
            )
        return None


def _secrets(scope: Scope) -> Iterator[bytes]:
    """Give the secrets that a request shows: as a bearer token, in a field of its own, or as a parameter."""
    for name, value in scope["headers"]:
        if name == _FIELD:
            yield value.strip()
        elif name == b"authorization" and value[: len(_SCHEME)].lower() == _SCHEME:
            yield value[len(_SCHEME) :].strip()
    query: bytes = scope["query_string"]
    if len(query) <= _LONGEST:
        # Any byte is a character of Latin-1, so whatever is sent can be compared.
        parameters = parse_qsl(query.decode("latin-1"), encoding="latin-1")
        yield from (value.encode("latin-1") for name, value in parameters if name == _PARAMETER)
