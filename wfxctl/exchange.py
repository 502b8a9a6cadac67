"""Exchange with a server, as messages name it: request, redirects and proxy."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from wfx.commandline.http_addresses import without_credentials
from wfxctl.failures import RefusedByServer

_GATEWAY_FAILURES = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, and the redirects and the proxy that it went through."""

    method: str
    url: str
    proxy: str = ""
    redirected: str = ""
    """Where redirects led, if there were any."""

    def __str__(self) -> str:
        """Name it, without names and passwords."""
        redirected = f' (redirected to "{without_credentials(self.redirected)}")' if self.redirected else ""
        through = f" through the proxy {without_credentials(self.proxy)}" if self.proxy else ""
        return f'{self.method} "{self.url}"{redirected}{through}'

    def refusal(self, status: int, body: str, retry_after: float = 0.0) -> RefusedByServer:
        """Return the failure for an answer that is no success.

        Its body is shown as it came. Status and address are told where it is empty, or where a proxy may have sent it.
        """
        if body.strip() and not self._may_be_from_proxy(status, body):
            return RefusedByServer(status, body, retry_after=retry_after)
        return RefusedByServer(status, body, f"{self}: {self.described(status)}", retry_after)

    def described(self, status: int) -> str:
        """Name a status, and tell what to do about it where a proxy may have sent it."""
        phrase = f"{status} {HTTPStatus(status).phrase}" if status in set(HTTPStatus) else f"{status}"
        if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED and self.proxy:
            advice = "give name and password in the address of the proxy, as in http://NAME:PASSWORD@proxy.example:3128"
        elif status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            advice = (
                "a proxy is at this address: name it by --proxy, and the server by the options for its host and port"
            )
        elif self.proxy and status in _GATEWAY_FAILURES:
            advice = "if the proxy cannot reach the server, correct its address, or have NO_PROXY name its host"
        else:
            return phrase
        return f"{phrase}: {advice}"

    def _may_be_from_proxy(self, status: int, body: str) -> bool:
        return status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED or bool(
            self.proxy and status in _GATEWAY_FAILURES and not body.lstrip().startswith("{")
        )
