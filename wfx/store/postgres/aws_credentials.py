"""Credentials of an AWS account: of variables, a role of Kubernetes, a file, the container or the machine."""

from __future__ import annotations

import configparser
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from wfx.domain.errors import StoreUnavailable

_MACHINE = "http://169.254.169.254"
_CONTAINER = "http://169.254.170.2"
_PLAIN_HOSTS = ("localhost", "127.0.0.1", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23")
"""Who may be asked for credentials without TLS."""
_TIMEOUT = 2.0
_AHEAD = timedelta(minutes=5)
"""Credentials are renewed that long before they end."""


class CredentialsMissing(StoreUnavailable):
    """There are no credentials, or whoever has them does not answer."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What requests are signed with."""

    key_id: str
    secret: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    until: datetime | None = None
    """When they end; None if they do not."""


class CredentialSource:
    """Finds credentials where AWS's own programs do, in their order, and keeps them while they are good."""

    def __init__(self, environment: Mapping[str, str], region: str) -> None:
        """Look into these variables."""
        self._environment = environment
        self._region = region
        self._known: Credentials | None = None

    async def credentials(self) -> Credentials:
        """Return credentials that are good for minutes. Raises CredentialsMissing."""
        if self._known is not None and (self._known.until is None or datetime.now(UTC) < self._known.until - _AHEAD):
            return self._known
        for find in (self._of_variables, self._of_web_identity, self._of_file, self._of_container, self._of_machine):
            if (found := await find()) is not None:
                self._known = found if found.until is not None else None  # what does not end may be changed
                return found
        raise CredentialsMissing(
            "there are no AWS credentials: not in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, not in the shared "
            "credentials file, and neither the container nor the machine has a role"
        )

    def _said(self, name: str) -> str:
        return self._environment.get(name, "")

    async def _of_variables(self) -> Credentials | None:
        key_id, secret = self._said("AWS_ACCESS_KEY_ID"), self._said("AWS_SECRET_ACCESS_KEY")
        return Credentials(key_id, secret, self._said("AWS_SESSION_TOKEN")) if key_id and secret else None

    async def _of_web_identity(self) -> Credentials | None:
        file, role = self._said("AWS_WEB_IDENTITY_TOKEN_FILE"), self._said("AWS_ROLE_ARN")
        if not (file and role):
            return None
        form = {
            "Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": role,
            "RoleSessionName": self._said("AWS_ROLE_SESSION_NAME") or "wfx", "WebIdentityToken": _read(file),
        }  # fmt: skip
        domain = "amazonaws.com.cn" if self._region.startswith("cn-") else "amazonaws.com"
        url = self._said("AWS_ENDPOINT_URL_STS") or f"https://sts.{self._region}.{domain}"
        async with _client() as client:
            answer = await _asked("AWS STS", lambda: client.post(url, data=form))
        named = dict(re.findall(r"<(AccessKeyId|SecretAccessKey|SessionToken|Expiration)>([^<]+)<", answer.text))
        return _read_document({**named, "Token": named.get("SessionToken", "")}, "AWS STS")

    async def _of_file(self) -> Credentials | None:
        home = self._said("HOME")
        file = self._said("AWS_SHARED_CREDENTIALS_FILE") or (f"{home}/.aws/credentials" if home else "")
        return _of_profile(file, self._said("AWS_PROFILE") or "default") if file else None

    async def _of_container(self) -> Credentials | None:
        relative, full = (
            self._said("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
            self._said("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        )
        if not (relative or full):
            return None
        url = _CONTAINER + relative if relative else full
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _PLAIN_HOSTS:
            raise CredentialsMissing("AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or of this machine")
        file = self._said("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        token = _read(file) if file else self._said("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        headers = {"Authorization": token} if token else {}
        async with _client() as client:
            answer = await _asked("the container's AWS credentials", lambda: client.get(url, headers=headers))
        return _read_document(_json(answer), "the container's AWS credentials")

    async def _of_machine(self) -> Credentials | None:
        if self._said("AWS_EC2_METADATA_DISABLED").lower() == "true":
            return None
        who = "the machine's AWS metadata"
        base = (self._said("AWS_EC2_METADATA_SERVICE_ENDPOINT") or _MACHINE).rstrip("/") + "/latest"
        async with _client() as client:
            lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "300"}
            token = await _asked(who, lambda: client.put(f"{base}/api/token", headers=lifetime))
            headers = {"X-aws-ec2-metadata-token": token.text}
            roles = f"{base}/meta-data/iam/security-credentials/"
            names = await _asked(who, lambda: client.get(roles, headers=headers))
            name = names.text.strip().partition("\n")[0]
            answer = await _asked(who, lambda: client.get(roles + name, headers=headers))
        return _read_document(_json(answer), who)


def _of_profile(file: str, profile: str) -> Credentials | None:
    if not Path(file).exists():
        return None
    known = configparser.ConfigParser(interpolation=None)
    try:
        known.read_string(_read(file))
    except configparser.Error:  # its text has a line of the file
        raise CredentialsMissing(f"the AWS credentials file {file} is not written as one") from None
    section: Mapping[str, str] = known[profile] if known.has_section(profile) else {}
    key_id, secret = section.get("aws_access_key_id"), section.get("aws_secret_access_key")
    return Credentials(key_id, secret, section.get("aws_session_token", "")) if key_id and secret else None


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False)


async def _asked(who: str, ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    try:
        answer = await ask()
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise CredentialsMissing(f"there are no AWS credentials: {who} cannot be asked: {type(exc).__name__}") from exc
    if answer.status_code != httpx.codes.OK:
        raise CredentialsMissing(f"there are no AWS credentials: {who} answers with status {answer.status_code}")
    return answer


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return {}


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise CredentialsMissing(f"the file {file} for AWS credentials cannot be read") from exc


def _read_document(said: Any, who: str) -> Credentials:
    try:
        until = datetime.fromisoformat(said["Expiration"]) if said.get("Expiration") else None
        return Credentials(said["AccessKeyId"], said["SecretAccessKey"], said.get("Token", ""), until)
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise CredentialsMissing(f"the answer of {who} has no credentials") from exc
