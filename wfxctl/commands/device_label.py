"""``wfxctl device label``: labels and attributes of one device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfxctl import fleet
from wfxctl.devices import client_id_of, path_of
from wfxctl.documents import items, member
from wfxctl.invocation import ClientInvocation, decoded, encoded

_ATTEMPTS = 5
"""How often to try, where somebody else changes the same device."""
_CHANGED = 412


def run(call: ClientInvocation) -> None:
    """Change labels and attributes, and print all that the device has then."""
    path, words = path_of(client_id_of(call)) + "/attributes", call.arguments[1:]
    if not words:
        raise UsageFailure("labels missing: give LABEL or NAME=VALUE to set one, LABEL- or NAME- to remove it")
    api = fleet.api_of(call)
    for attempt in range(1, _ATTEMPTS + 1):
        answer = api.send("GET", path)
        if answer.succeeded:
            body = encoded(_changed(decoded(answer.body), words))
            answer = api.send("PUT", path, body=body, headers={"If-Match": answer.etag})
        if answer.succeeded:
            call.show(answer.body)
            return
        if answer.status != _CHANGED or attempt == _ATTEMPTS:
            raise fleet.explained(answer.exchange.refusal(answer.status, answer.body))


def _changed(before: Any, words: Sequence[str]) -> dict[str, Any]:
    """Apply the words in order."""
    attributes = dict(found) if isinstance(found := member(before, "attributes"), dict) else {}
    labels = {label for label in items(before, "labels") if isinstance(label, str)}
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            attributes[name] = value
        elif word.endswith("-"):
            attributes.pop(word[:-1], None)
            labels.discard(word[:-1])
        else:
            labels.add(word)
    return {"attributes": attributes, "labels": sorted(labels)}


COMMAND = Command(
    "label",
    "Set and remove labels and attributes of a device",
    """
    Set and remove labels and attributes of a device: LABEL and NAME=VALUE set one, LABEL- and NAME- remove it; what is
    not named stays as it is. Prints all that the device has then. The server needs the fleet API.
    """,
    usage="CLIENT_ID WORD...",
    examples="""
    # a label, and an attribute with its value
    wfxctl device label press-7 canary site=hall1

    # remove both
    wfxctl device label press-7 canary- site-
    """,
    run=run,
)
