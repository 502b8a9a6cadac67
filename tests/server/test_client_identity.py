"""What plugins learn of a client's certificate, and that nobody can pretend to have one."""

from __future__ import annotations

import hashlib
import json
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
from plugin_programs import PluginDirectory

from tests.certificates import Authority
from tests.server.everywhere import Everywhere

NAMES = ("X-Wfx-Client-Cert-Subject", "X-Wfx-Client-Cert-San", "X-Wfx-Client-Cert-Sha256")
FORGED = dict.fromkeys((*NAMES, "x_wfx_client_cert_subject", "X-WFX-CLIENT-CERT_Other"), "forged")
SHOWING = """
import json
run(lambda request: Respond(Status.ACCEPT, body=json.dumps(request.headers).encode()))
"""


@pytest.fixture
def plugins(tmp_path: Path) -> PluginDirectory:
    """A plugin that answers with the headers that it was shown."""
    (tmp_path / "plugins").mkdir(mode=0o755)
    directory = PluginDirectory(tmp_path / "plugins")
    directory.sdk("showing", SHOWING)
    return directory


def shown(client: httpx.Client, url: str) -> dict[str, Any]:
    """The headers about certificates that a plugin saw, of a request that has some of its own."""
    headers = json.loads(client.get(url, headers=FORGED).content)
    return {name: values for name, values in headers.items() if "cert" in name.lower()}


def test_identity(engine: str, plugins: PluginDirectory, tmp_path: Path) -> None:
    """A plugin sees subject, alternative names and fingerprint of the certificate; what a client makes up is gone."""
    authority = Authority(tmp_path)
    server = authority.sign("server")
    client = authority.sign(
        "client", "/C=DE/O=Example, Inc/CN=Gerät 1", "DNS:device-1.example,URI:spiffe://example/a,IP:192.0.2.7"
    )
    options = (
        f"--tls-certificate={server.certificate}", f"--tls-key={server.key}", f"--tls-ca={authority.certificate}",
        f"--client-plugins-dir={plugins.path}", f"--http-engine={engine}",
    )  # fmt: skip
    with Everywhere(tmp_path, "http,https,unix", *options) as service:
        context = authority.trusting(client)
        url = f"https://localhost:{service.port('https', 'south')}/version"
        encoded = ssl.PEM_cert_to_DER_cert(client.certificate.read_text())
        for http2 in (False, True):
            with httpx.Client(verify=context, trust_env=False, http2=http2) as asking:
                assert [shown(asking, url) for _ in range(2)] == 2 * [{
                    "X-Wfx-Client-Cert-Subject": ["CN=Ger\\C3\\A4t 1,O=Example\\, Inc,C=DE"],
                    "X-Wfx-Client-Cert-San": [
                        "DNS:device-1.example", "URI:spiffe://example/a", "IP-Address:192.0.2.7",
                    ],
                    "X-Wfx-Client-Cert-Sha256": [hashlib.sha256(encoded).hexdigest()],
                }]  # fmt: skip
        with httpx.Client(trust_env=False) as asking:
            assert shown(asking, f"http://127.0.0.1:{service.port('http', 'south')}/version") == {}
        with httpx.Client(transport=httpx.HTTPTransport(uds=service.socket("south"))) as asking:
            assert shown(asking, "http://wfx/version") == {}


def test_without_client_certificates(engine: str, plugins: PluginDirectory, tmp_path: Path) -> None:
    """Over TLS without --tls-ca there is no certificate, and none can be claimed."""
    authority = Authority(tmp_path)
    server = authority.sign("server")
    options = (
        f"--tls-certificate={server.certificate}", f"--tls-key={server.key}",
        f"--client-plugins-dir={plugins.path}", f"--http-engine={engine}",
    )  # fmt: skip
    with Everywhere(tmp_path, "https", *options) as service:
        context = authority.trusting(authority.sign("client"))
        with httpx.Client(verify=context, trust_env=False) as asking:
            assert shown(asking, f"https://localhost:{service.port('https', 'south')}/version") == {}
