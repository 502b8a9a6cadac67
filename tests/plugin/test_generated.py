"""The generated messages are what the schemas say, and the schemas are what the contract says."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from wfx.plugin.decode import decode_answer
from wfx.plugin.encode import encode_request
from wfx.plugin.message import PASS, Action, PluginRequest, Respond

ROOT = Path(__file__).parents[2]
PASS_VECTOR = bytes.fromhex("1c000000100000000000000008000c0000000400080000000700000000000000")
DENY_VECTOR = bytes.fromhex(
    "44000000100000000c001a0000000c000b0004000c00000020000000000000020700000000000000000000000000"
    "0a0008000000000004000a00000004000000030000006e6f0a00"
)


def flatc(*arguments: str | Path) -> None:
    """Run the FlatBuffers compiler, whose absence is a failure of the set-up."""
    assert shutil.which("flatc"), "flatc is missing: install Debian's flatbuffers-compiler"
    subprocess.run(["flatc", *arguments], check=True, capture_output=True, timeout=30)


@pytest.mark.parametrize("package", ["wfx/plugin/generated", "plugins/wfx_plugin/generated"])
def test_generated_code_is_current(package: str, tmp_path: Path) -> None:
    """Generating again from the schemas gives the very files that are in the tree."""
    assert shutil.which("flatc"), "flatc is missing: install Debian's flatbuffers-compiler"
    subprocess.run([ROOT / "fbs" / "generate", tmp_path], check=True, timeout=30)
    for name in ("messages.py", "messages.pyi"):
        version = subprocess.run(["flatc", "--version"], check=True, capture_output=True, text=True, timeout=30).stdout
        assert (ROOT / package / name).read_text() == (tmp_path / name).read_text(), (
            f"{package}/{name} is not what fbs/generate writes with {version.strip()}: run it and commit the result"
        )


def test_requests_are_read_by_flatc(tmp_path: Path) -> None:
    """The reference implementation of FlatBuffers reads a request as it was meant."""
    request = PluginRequest(
        b"/api/wfx/v1/jobs?limit=3",
        Action.UPDATE,
        ((b"Accept", (b"a", b"bcd")), (b"X-Empty", ()), (b"X", ("é".encode(),))),
        b"\x00\xff",
    )
    (tmp_path / "request.bin").write_bytes(encode_request(2**64 - 1, request))
    flatc("--json", "--strict-json", "--raw-binary", "--size-prefixed", "-o", tmp_path,
          ROOT / "fbs" / "request.fbs", "--", tmp_path / "request.bin")  # fmt: skip
    assert json.loads((tmp_path / "request.json").read_text()) == {
        "cookie": 2**64 - 1,
        "request": {
            "destination": "/api/wfx/v1/jobs?limit=3",
            "action": "Update",
            "envelope": [
                {"name": "Accept", "values": ["a", "bcd"]},
                {"name": "X-Empty", "values": []},
                {"name": "X", "values": ["é"]},
            ],
            "content": [0, 255],
        },
    }


def test_answers_of_flatc_are_read(tmp_path: Path) -> None:
    """An answer that the reference implementation of FlatBuffers writes is understood."""
    answer = {"cookie": 9, "payload_type": "client_Response", "payload": {"status": "Unavailable", "content": [104]}}
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    flatc("--binary", "--size-prefixed", "-o", tmp_path, ROOT / "fbs" / "response.fbs", tmp_path / "answer.json")
    frame = (tmp_path / "answer.bin").read_bytes()
    assert decode_answer(frame[4:]) == (9, Respond(503, (), b"h"))


def test_vector_continue() -> None:
    """The first frame of server section 11.3 means: cookie 7, go on."""
    assert decode_answer(PASS_VECTOR[4:]) == (7, PASS)


def test_vector_deny() -> None:
    """The second frame of server section 11.3 means: cookie 7, 403 with the body no."""
    assert decode_answer(DENY_VECTOR[4:]) == (7, Respond(403, (), b"no\n"))
