"""YAML whose scalars stay text: what ``on``, ``1.10`` or ``2026-01-01`` mean is decided by who reads the value."""

from __future__ import annotations

from typing import Any

import yaml

_KEPT = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"}
_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _KEPT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Loader(yaml.SafeLoader):
    """The safe loader, less the guesses at types."""

    yaml_implicit_resolvers = _RESOLVERS


def load(content: bytes) -> Any:
    """Return mappings, lists, strings and None. Raises ValueError with the place of the mistake."""
    try:
        return yaml.load(content, _Loader)  # noqa: S506  # the loader derives from the safe one
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as exc:
        raise ValueError(" ".join(str(exc).split()) or "nested too deeply") from exc
