"""Passwords of AWS RDS."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from wfx.domain.errors import StoreUnusable
from wfx.store.postgres.aws_credentials import Credentials, CredentialsMissing, CredentialSource
from wfx.store.postgres.rds_iam import encrypted, rds_tokens, sign
from wfx.store.postgres.target import ServerAddress, read_target

SECRET = "canary"
REGION = "us-east-1"
THEN = datetime(2016, 11, 7, 17, 39, 33, tzinfo=UTC)
TOKEN = (
    "prod-instance.us-east-1.rds.amazonaws.com:3306/?Action=connect&DBUser=someusername"
    "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=akid%2F20161107%2Fus-east-1%2Frds-db%2Faws4_request"
    "&X-Amz-Date=20161107T173933Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=d1138cdbc0ca63eec012ec0fc6c2267e03642168f5884a7795320d4c18374c61"
)
"""What AWS's own library makes of these values: botocore's tests of signers have it."""


class Metadata(HTTPServer):
    """Answers as AWS's sources of credentials do, on loopback."""

    def __init__(self) -> None:
        """Have credentials that last for an hour."""
        super().__init__(("127.0.0.1", 0), _Answer)
        self.until = datetime.now(UTC) + timedelta(hours=1)
        self.asked: list[str] = []
        self.broken = False
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def document(self) -> dict[str, str]:
        """The credentials."""
        until = f"{self.until:%Y-%m-%dT%H:%M:%SZ}"
        return {"AccessKeyId": "theirs", "SecretAccessKey": SECRET, "Token": "session", "Expiration": until}


class _Answer(BaseHTTPRequestHandler):
    server: Metadata

    def do_PUT(self) -> None:
        self._say("v2" if self.headers["X-aws-ec2-metadata-token-ttl-seconds"] else None)

    def do_GET(self) -> None:
        document = json.dumps(self.server.document())
        if self.path == "/ecs":
            self._say(document if self.headers["Authorization"] == "let me" else None)
        else:
            role = "document" if self.path.endswith("/role") else "role"
            told = document if role == "document" else role
            self._say(told if self.headers["X-aws-ec2-metadata-token"] == "v2" else None)

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert form["WebIdentityToken"] == ["of kubernetes"]
        assert form["RoleArn"] == ["arn:aws:iam::1:role/wfx"]
        said = self.server.document()
        said["SessionToken"] = said.pop("Token")
        self._say("<Credentials>" + "".join(f"<{name}>{text}</{name}>" for name, text in said.items()))

    def _say(self, text: str | None) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.send_response(500 if self.server.broken else 403 if text is None else 200)
        self.end_headers()
        self.wfile.write((text or "").encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def metadata() -> Iterator[Metadata]:
    """A source of credentials."""
    server = Metadata()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_signature() -> None:
    """A token is what AWS's own library makes of the same server, user, region, credentials and time."""
    place = "prod-instance.us-east-1.rds.amazonaws.com:3306"
    assert sign(place, "someusername", REGION, Credentials("akid", "skid"), THEN) == TOKEN
    with_session = sign(place, "someusername", REGION, Credentials("akid", "skid", "a/b+c="), THEN)
    assert "&X-Amz-Security-Token=a%2Fb%2Bc%3D&X-Amz-SignedHeaders=host&X-Amz-Signature=" in with_session


async def test_fresh_token() -> None:
    """Each connection has a token of its own, for its server and its moment, with the variables as they are."""
    variables = {
        "WFX_POSTGRES_IAM_AUTH": "true",
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "akid",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    tokens = rds_tokens(read_target("host=db user=me", {}), variables)
    assert tokens is not None
    first = await tokens(ServerAddress("10.0.0.1", 5432, "db"))
    assert first.startswith("db:5432/?Action=connect&DBUser=me&")
    assert SECRET not in first
    variables["AWS_ACCESS_KEY_ID"] = "other"
    assert "Credential=other%2F" in await tokens(ServerAddress("db", 5433, "db"))


@pytest.mark.parametrize(
    ("said", "is_used"), [("true", True), ("1", True), ("yes", True), ("", False), ("false", False), ("0", False)]
)
def test_switch(said: str, is_used: bool) -> None:
    """WFX_POSTGRES_IAM_AUTH says whether there are tokens."""
    variables = {"WFX_POSTGRES_IAM_AUTH": said, "WFX_POSTGRES_REGION": REGION}
    assert (rds_tokens(read_target("host=db user=me", {}), variables) is not None) is is_used


def test_region_is_missing() -> None:
    """Without a region the start ends, and says which variables give it."""
    with pytest.raises(StoreUnusable, match="region of the database in WFX_POSTGRES_REGION or AWS_REGION"):
        rds_tokens(read_target("host=db user=me", {}), {"WFX_POSTGRES_IAM_AUTH": "true"})


def test_encryption() -> None:
    """Tokens are sent over TLS only."""
    assert encrypted(read_target("host=db user=me", {})).sslmode == "require"
    assert encrypted(read_target("host=db user=me sslmode=verify-ca", {})).sslmode == "verify-ca"
    with pytest.raises(StoreUnusable, match="needs TLS, but sslmode is disable"):
        encrypted(read_target("host=db user=me sslmode=disable", {}))


async def test_container(metadata: Metadata) -> None:
    """In a container its credentials are used, which are asked for again before they end."""
    variables = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{metadata.url}/ecs",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "let me",
    }
    source = CredentialSource(variables, REGION)
    found = await source.credentials()
    assert (found.key_id, found.secret, found.session_token) == ("theirs", SECRET, "session")
    await source.credentials()
    assert metadata.asked == ["GET /ecs"]
    metadata.until = datetime.now(UTC) + timedelta(minutes=4)
    source = CredentialSource(variables, REGION)
    await source.credentials()
    await source.credentials()
    assert metadata.asked == ["GET /ecs"] * 3


async def test_machine(metadata: Metadata) -> None:
    """On a machine of AWS the credentials of its role are used, by the protocol that asks for a token first."""
    found = await CredentialSource({"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url}, REGION).credentials()
    assert (found.key_id, found.secret) == ("theirs", SECRET)
    roles = "/latest/meta-data/iam/security-credentials/"
    assert metadata.asked == ["PUT /latest/api/token", f"GET {roles}", f"GET {roles}role"]


async def test_web_identity(metadata: Metadata, tmp_path: Path) -> None:
    """In Kubernetes the role of the service account is assumed."""
    (tmp_path / "token").write_text("of kubernetes\n")
    variables = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": "arn:aws:iam::1:role/wfx",
                 "AWS_ENDPOINT_URL_STS": metadata.url}  # fmt: skip
    found = await CredentialSource(variables, REGION).credentials()
    assert (found.key_id, found.secret, found.session_token) == ("theirs", SECRET, "session")


async def test_file(tmp_path: Path) -> None:
    """The shared credentials file counts, with the profile that is asked for."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(
        f"[default]\naws_access_key_id = a\naws_secret_access_key = {SECRET}%\n"
        f"[other]\naws_access_key_id=b\naws_secret_access_key={SECRET}\naws_session_token=c\n"
    )
    variables = {"HOME": str(tmp_path)}
    assert await CredentialSource(variables, REGION).credentials() == Credentials("a", f"{SECRET}%")
    variables["AWS_PROFILE"] = "other"
    assert await CredentialSource(variables, REGION).credentials() == Credentials("b", SECRET, "c")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"AWS_EC2_METADATA_DISABLED": "true"}, "there are no AWS credentials: not in AWS_ACCESS_KEY_ID"),
        (
            {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"},
            "the machine's AWS metadata cannot be asked: Conn",
        ),
        ({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "{url}"}, "the machine's AWS metadata answers with status 500"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://elsewhere/x"}, "must be https, or of this machine"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent", "AWS_ROLE_ARN": "x"}, "the file /nonexistent for AWS"),
    ],
)
async def test_missing(metadata: Metadata, variables: dict[str, str], message: str) -> None:
    """Where there are no credentials it is said where they were looked for."""
    metadata.broken = True
    said = {name: text.format(url=metadata.url) for name, text in variables.items()}
    with pytest.raises(CredentialsMissing) as caught:
        await CredentialSource(said, REGION).credentials()
    assert message in str(caught.value)


async def test_broken_file(tmp_path: Path) -> None:
    """A credentials file that is not written as one is named, and no line of it is shown."""
    (tmp_path / "file").write_text(f"aws_secret_access_key {SECRET}\n")
    with pytest.raises(CredentialsMissing, match=r"/file is not written as one") as caught:
        await CredentialSource({"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "file")}, REGION).credentials()
    assert SECRET not in str(caught.value)


def test_no_secrets_are_shown() -> None:
    """Credentials that are printed show no secret."""
    assert SECRET not in repr(Credentials("a", SECRET, SECRET))
