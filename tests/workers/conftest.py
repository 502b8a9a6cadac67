"""Databases for services of several workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from postgres_server import Postgres

from tests.store.postgres_schemas import schemas


@pytest.fixture
def option(postgres: Postgres, database: str, tmp_path: Path) -> str:
    """The storage option of an empty schema."""
    return schemas(postgres, database)(tmp_path)
