"""Report of the command ``wfx config``: each option's value, where it comes from, and when a change takes effect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from wfx.commandline import durations
from wfx.commandline.configuration import ResolvedSettings
from wfx.commandline.options import Settings
from wfx.commandline.terminal import Stream, neutralise
from wfx.config.options import OPTIONS, Option
from wfx.config.running_config import is_reloadable

_HEADING = ("OPTION", "VALUE", "SET BY", "A CHANGE NEEDS")


def masked_text(option: Option, value: Any) -> str:
    """Write an option's value for people, without what is secret in it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(value)
    text = durations.show(value) if option.kind == "Seconds" else str(value)
    return option.mask(text) if option.mask else text


def masked_value(option: Option, value: Any) -> Any:
    """Return an option's value for programs, without what is secret in it; durations are seconds."""
    return option.mask(str(value)) if option.mask else value


def write_text(resolved: ResolvedSettings, out: Stream) -> None:
    """Write a table, and the files."""
    rows = [_HEADING, *(_row(option, resolved.settings) for option in OPTIONS)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADING) - 1)]
    for *cells, last in rows:
        out.line("  ".join([*(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)), last]))
    for line in _files(resolved):
        out.line(line)


def write_json(resolved: ResolvedSettings, out: Stream) -> None:
    """Write the same for programs; durations are seconds."""
    document = {
        "options": {option.name: _described(option, resolved.settings) for option in OPTIONS},
        "files": [{"path": path, "exists": found is not None} for path, found in resolved.signatures.items()],
    }
    out.json(json.dumps(document, ensure_ascii=False))


def _row(option: Option, settings: Settings) -> tuple[str, ...]:
    value = masked_text(option, settings.value(option.name))
    return (option.name, neutralise(value), neutralise(str(settings.origin(option.name))), _needs(option))


def _needs(option: Option) -> str:
    return "reload" if is_reloadable(option) else "restart"


def _described(option: Option, settings: Settings) -> dict[str, Any]:
    value, origin = settings.value(option.name), settings.origin(option.name)
    by: dict[str, Any] = {"kind": origin.kind}
    by |= {"name": origin.name} if origin.name else {}
    by |= {"line": origin.line} if origin.line else {}
    return {"value": masked_value(option, value), "setBy": by, "changeNeeds": _needs(option)}


def _files(resolved: ResolvedSettings) -> Iterator[str]:
    if resolved.signatures:
        yield ""
        yield "Configuration files, later ones win:"
    for path, found in resolved.signatures.items():
        yield f"  {neutralise(path)}" + ("" if found is not None else " (does not exist)")
