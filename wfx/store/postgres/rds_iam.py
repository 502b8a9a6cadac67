"""Passwords of AWS RDS: tokens that are signed with the credentials of an AWS account, anew for each connection."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

from wfx.domain.errors import StoreUnusable
from wfx.store.postgres.aws_credentials import Credentials, CredentialSource
from wfx.store.postgres.target import ServerAddress, Target

_ASKED = ("true", "1", "yes")
_SERVICE = "rds-db"
_SECONDS = "900"
_ALGORITHM = "AWS4-HMAC-SHA256"
_ENCRYPTED = ("require", "verify-ca", "verify-full")


def _now() -> datetime:
    return datetime.now(UTC)


class RdsTokens:
    """Makes the password of each new connection."""

    def __init__(self, user: str, region: str, source: CredentialSource, clock: Callable[[], datetime] = _now) -> None:
        """Sign for a database user in a region."""
        self._user = user
        self._region = region
        self._source = source
        self._clock = clock

    async def __call__(self, server: ServerAddress) -> str:
        """Make a token for a server, good for 15 minutes. Raises CredentialsMissing."""
        credentials = await self._source.credentials()
        return sign(f"{server.name}:{server.port}", self._user, self._region, credentials, self._clock())


def rds_tokens(target: Target, environment: Mapping[str, str]) -> RdsTokens | None:
    """Return what makes the passwords if the environment asks for it. Raises StoreUnusable (server section 8)."""
    if environment.get("WFX_POSTGRES_IAM_AUTH", "").lower() not in _ASKED:
        return None
    region = environment.get("WFX_POSTGRES_REGION") or environment.get("AWS_REGION")
    if not region:
        raise StoreUnusable(
            "WFX_POSTGRES_IAM_AUTH needs the region of the database in WFX_POSTGRES_REGION or AWS_REGION"
        )
    return RdsTokens(target.user, region, CredentialSource(environment, region))


def encrypted(target: Target) -> Target:
    """Return the target with TLS required: who reads a token can use it. Raises StoreUnusable if it must not be."""
    if target.sslmode in _ENCRYPTED:
        return target
    if target.sslmode == "prefer":
        return replace(target, sslmode="require")
    raise StoreUnusable(f"WFX_POSTGRES_IAM_AUTH needs TLS, but sslmode is {target.sslmode}: use verify-full or require")


def sign(server: str, user: str, region: str, credentials: Credentials, now: datetime) -> str:
    """Sign a request to connect (AWS Signature Version 4, in the query)."""
    date, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
    scope = f"{day}/{region}/{_SERVICE}/aws4_request"
    said = {
        "Action": "connect",
        "DBUser": user,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.key_id}/{scope}",
        "X-Amz-Date": date,
        "X-Amz-Expires": _SECONDS,
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.session_token:
        said["X-Amz-Security-Token"] = credentials.session_token
    query = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(said.items()))
    request = f"GET\n/\n{query}\nhost:{server}\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
    text = f"{_ALGORITHM}\n{date}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return f"{server}/?{query}&X-Amz-Signature={hmac.digest(key, text.encode(), 'sha256').hex()}"
