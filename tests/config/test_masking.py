"""Secrets in values of options are not shown."""

from __future__ import annotations

import pytest

from wfx.config.masking import without_passwords


@pytest.mark.parametrize(("source", "shown"), [
    ("file:wfx.db?_fk=1&_journal=WAL", "file:wfx.db?_fk=1&_journal=WAL"),
    ("file:team@home.db", "file:team@home.db"),
    ("/var/lib/wfx/wfx.db", "/var/lib/wfx/wfx.db"),
    ("file:wfx.db?_auth_user=u&_auth_pass=p%20w&mode=rw", "file:wfx.db?_auth_user=u&_auth_pass=***&mode=rw"),
    ("postgres://wfx:s3cret@db:5432/wfx?sslmode=require", "postgres://wfx:***@db:5432/wfx?sslmode=require"),
    ("postgresql://wfx:a@b:c@db/wfx", "postgresql://wfx:***@db/wfx"),
    ("postgres://wfx@db/wfx?password=s3cret&x=1", "postgres://wfx@db/wfx?password=***&x=1"),
    ("host=db user=wfx password=s3cret database=wfx", "host=db user=wfx password=*** database=wfx"),
    (r"host=db PASSWORD = 's3 c\'ret' sslpassword=x", "host=db PASSWORD = *** sslpassword=***"),
    ("wfx:s3/cr@et@tcp(db:3306)/wfx", "wfx:***@tcp(db:3306)/wfx"),
    ("wfx:s3cret@unix(/run/mysql.sock)/wfx", "wfx:***@unix(/run/mysql.sock)/wfx"),
    ("file:wfx.db?_pragma_key=x&pwd=y&_fk=1", "file:wfx.db?_pragma_key=***&pwd=***&_fk=1"),
    ("file:wfx.db?_auth_salt=x&token2=y&credentials=z", "file:wfx.db?_auth_salt=***&token2=***&credentials=***"),
    ("", ""),
    ("password=a host=db", "password=*** host=db"),
    ("password=my s3cret host=db", "password=*** host=db"),
    ("password=my s3cret=x user=me", "password=*** user=me"),
    (r"password=my\ s3cret host=db", "password=*** host=db"),
    (r"password=my\ host=s3cret user=me", "password=*** user=me"),
    ("password='it's s3cret' host=db", "password=*** host=db"),
    ("password='my host=s3cret' port=1", "password=*** port=1"),
    ("host=db password='my s3cret", "host=db password=***"),
    ("host=db password=a&s3cret", "host=db password=***"),
    ("postgres://me:a/s3cret@db:1/wfx", "postgres://me:***@db:1/wfx"),
    ("postgres://me:a s3cret@db/wfx", "postgres://me:***@db/wfx"),
    ("postgres://me:s3cret", "postgres://me:***"),
    ("postgres://me:s3/cret", "postgres://me:***"),
    ("postgres://db:5432/wfx?user=me", "postgres://db:5432/wfx?user=me"),
    ("postgres://[::1]:5432,b:1/wfx", "postgres://[::1]:5432,b:1/wfx"),
    ("postgres://u@h/x1?passw%6frd=s3cr3t", "postgres://u@h/x1?passw%6frd=***"),
    ("postgres://h/x?a=1&%50assword=s3c&b%5f=2", "postgres://h/x?a=1&%50assword=***&b%5f=2"),
    ("file:wfx.db?_fk=1&%5Fauth%5Fp%61ss=s3cret", "file:wfx.db?_fk=1&%5Fauth%5Fp%61ss=***"),
    ("postgresql+asyncpg://h/x?ssl%6Bey=s3cret", "postgresql+asyncpg://h/x?ssl%6Bey=***"),
    ("postgres://db/wfx?password=my s3cret&x=1", "postgres://db/wfx?password=***&x=1"),
])  # fmt: skip
def test_data_sources(source: str, shown: str) -> None:
    """Row 57: of a data source all but its passwords is shown."""
    assert without_passwords(source) == shown
