"""Exchange with a server, as messages name it: what was asked, where that led, and through which proxy."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from wfx.commandline.http_addresses import without_credentials
from wfxctl.failures import RefusedByServer

_PASSWORD_WANTED = 407
_OF_GATEWAYS = (502, 503, 504)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and the way it took."""

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

    def refusal(self, status: int, body: str) -> RefusedByServer:
        """Return the failure for an answer that is no success.

        Its body is shown as it came. Status and address are told where it is empty, or where a proxy may have sent it.
        """
        if body.strip() and not self._is_of_a_proxy(status, body):
            return RefusedByServer(status, body)
        return RefusedByServer(status, body, f"{self}: {self.described(status)}")

    def described(self, status: int) -> str:
        """Name a status, and tell what to do about it where a proxy may have sent it."""
        phrase = f"{status} {HTTPStatus(status).phrase}" if status in set(HTTPStatus) else f"{status}"
        if status == _PASSWORD_WANTED and self.proxy:
            advice = "give name and password in the address of the proxy, as in http://NAME:PASSWORD@proxy.example:3128"
        elif status == _PASSWORD_WANTED:
            advice = (
                "a proxy is at this address: name it by --proxy, and the server by the options for its host and port"
            )
        elif self.proxy and status in _OF_GATEWAYS:
            advice = "if the proxy cannot reach the server, correct its address, or have NO_PROXY name its host"
        else:
            return phrase
        return f"{phrase}: {advice}"

    def _is_of_a_proxy(self, status: int, body: str) -> bool:
        return status == _PASSWORD_WANTED or bool(
            self.proxy and status in _OF_GATEWAYS and not body.lstrip().startswith("{")
        )
