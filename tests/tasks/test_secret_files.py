"""Files with secrets are read as a whole, and nothing of them is told when they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from wfx.config.secret_files import read_password, read_webhook_keys

KEY = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_keys_of_webhooks(tmp_path: Path) -> None:
    """Each line is a secret, with whsec_ in front or without, and with its padding or without."""
    path = tmp_path / "keys"
    path.write_text(f"whsec_{KEY}\r\n\n{KEY}\n  whsec_{'QUJD' * 10}QQ==\nwhsec_{'QUJD' * 10}QQ\n")
    first, second, third, fourth = read_webhook_keys(str(path))
    assert (len(first), first, third) == (24, second, fourth)
    assert (read_webhook_keys(""), read_password("")) == ((), "")


@pytest.mark.parametrize("content", [
    "", "\n \n", "whsec_", "whsec_s3cr3t", f"{KEY}!", f"whsec_{KEY}\nwhsec_s3cr3t", f"{KEY}\n" * 5, "QUJD" * 22,
    f"whsec_ {KEY}", "s3cr3t\udc80", "QUJD" * 20_000,
])  # fmt: skip
def test_keys_that_cannot_be_used(tmp_path: Path, content: str) -> None:
    """What is no secret of 24 to 64 bytes is refused, by the name of the file and not by its content."""
    path = tmp_path / "keys"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match="keys") as refused:
        read_webhook_keys(str(path))
    assert "s3cr3t" not in str(refused.value)


def test_passwords(tmp_path: Path) -> None:
    """A password is the one line of a file, with the blanks in it."""
    path = tmp_path / "password"
    path.write_text(" correct horse ☃\n")
    assert read_password(str(path)) == "correct horse ☃"
    for content in ("", "\n", "s3cr3t\nline", "s3cr3t\0"):
        path.write_text(content)
        with pytest.raises(ValueError, match="password") as refused:
            read_password(str(path))
        assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize(("name", "said"), [("missing", "cannot be read"), (".", "cannot be read"), ("a\0b", "file")])
def test_files_that_cannot_be_read(tmp_path: Path, name: str, said: str) -> None:
    """A file that is missing, or is none, is refused with the reason."""
    for read in (read_password, read_webhook_keys):
        with pytest.raises(ValueError, match=said):
            read(f"{tmp_path}/{name}")
