"""Connection of the demo device to the service, with retries and back-off."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable
from ssl import SSLContext
from typing import Any

import httpx

from wfx.tasks.trying_again import growing_pause

log = logging.getLogger("device")

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
LONGEST_RETRY_AFTER = 3_600.0
LONGEST_MESSAGE = 1_024
"""Characters that a status message may have."""
_REFUSALS_TO_WAIT_OUT = frozenset({401, 403, 408, 425, 429})
"""Besides 5xx: somebody is busy, or will notice that this device was locked out by mistake."""
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


class Refused(Exception):
    """The service has understood and says no: asking again will not help."""

    def __init__(self, answer: httpx.Response) -> None:
        """Quote the answer."""
        super().__init__(f"{answer.status_code} {answer.text[:500].strip()}")


class NotFound(Refused):
    """There is no such thing any more."""


class Connection:
    """One kept connection; it is made anew when it is lost."""

    def __init__(
        self,
        url: str,
        identity: dict[str, str],
        pause: Callable[[float], None] = time.sleep,
        tls: SSLContext | None = None,
    ) -> None:
        """Ask below ``url``; wait by means of ``pause``. Without ``tls`` the usual authorities are trusted."""
        self._client = httpx.Client(
            base_url=url, headers={**_HEADERS, **identity}, timeout=10, trust_env=False, verify=tls or True
        )
        self._pause = pause

    def close(self) -> None:
        """Close it."""
        self._client.close()

    def ask(self, method: str, path: str, member: str, **request: Any) -> Any:
        """Send a request until it is answered, and return a member of the answer; raise Refused if it is a lasting no.

        A request may be repeated because the service takes the same report twice.
        """
        for attempt in itertools.count():
            at_least = 0.0
            try:
                answer = self._client.request(method, path, **request)
                if answer.is_success:
                    return answer.json()[member]
                if answer.status_code < 500 and answer.status_code not in _REFUSALS_TO_WAIT_OUT:
                    raise NotFound(answer) if answer.status_code == 404 else Refused(answer)
                at_least = _retry_after(answer)
                reason = str(answer.status_code)
            except (httpx.TransportError, httpx.DecodingError) as exc:
                reason = str(exc) or type(exc).__name__
            except (ValueError, LookupError, TypeError):  # half of a JSON text, or somebody else's
                reason = "an answer that is not the service's"
            wait = max(at_least, backoff(attempt))
            log.info("%s %s: %s; again in %.1f s", method, path, reason, wait)
            self._pause(wait)
        raise AssertionError

    def jobs(self, **query: Any) -> list[dict[str, Any]]:
        """Return the jobs that match, on one page; none if the service refuses to say."""
        try:
            found: list[dict[str, Any]] = self.ask("GET", "/jobs", "content", params=query)
        except Refused as exc:
            log.warning("cannot ask for jobs: %s", exc)
            return []
        return found


def backoff(attempt: int) -> float:
    """Seconds before another attempt: longer each time, and by chance, so that a fleet does not come back at once."""
    return growing_pause(attempt, FIRST_PAUSE, LONGEST_PAUSE)


def _retry_after(answer: httpx.Response) -> float:
    """Seconds that the service asks for; 0 if it says nothing, or gives a date."""
    said = answer.headers.get("Retry-After", "")
    return min(float(said), LONGEST_RETRY_AFTER) if said.isascii() and said.isdigit() else 0.0
