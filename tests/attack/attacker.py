"""The process of one attack: ``python -m tests.attack.attacker NAME TARGET``; prints what came of it as JSON."""
# ruff: noqa: T201 - it prints

from __future__ import annotations

import asyncio
import importlib
import json
import sys

from tests.attack.frame import Kind, Target


def kind_of(name: str) -> Kind:
    """The kind that a module of this directory describes."""
    kind = importlib.import_module(f"tests.attack.{name}").KIND
    assert isinstance(kind, Kind)
    return kind


async def main(name: str, target: str) -> None:
    """Attack."""
    print(json.dumps(await kind_of(name).attack(Target(**json.loads(target)))))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
