"""Devices: the clients of jobs, with what was seen of them and what operators say about them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple, Self

from wfx.domain.errors import DescriptionInvalid
from wfx.domain.finished import CLOSED, FAILED
from wfx.domain.job_list import ALWAYS, Period
from wfx.domain.json import Json, decode, encode
from wfx.domain.timestamp import Timestamp

LONGEST_ID = 255
"""Characters of a client id; clients with longer ones are no devices."""
MOST_NAMES = 32
"""Attributes that a device may have, and labels."""
MOST_BYTES = 8 * 1024
"""Bytes of all its attributes and labels, as JSON."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}\Z")
_VALUE = re.compile(r"[^\x00-\x1f\x7f,]{1,200}\Z")
_NAME_RULE = "begins with a letter or digit of ASCII, and has up to 62 further ones, or . _ / -"
FINISHED = (CLOSED, FAILED)
"""Groups of states whose newest job is shown as a device's last result."""


class Sighting(NamedTuple):
    """That a device has asked or reported something."""

    client_id: str
    first: int
    """When it did so first, of what is noted together; in microseconds since 1970."""
    last: int
    version: str
    """What it says that it is; empty if it does not."""


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    """What operators say about a device: attributes with values, and labels."""

    encoded: Json
    """With sorted names, so that the same description has the same bytes."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Make it of a decoded body. Raises DescriptionInvalid."""
        attributes, labels = document.get("attributes", {}), sorted(set(document.get("labels", ())))
        for what, names in (("attribute", attributes), ("label", labels)):
            _require_names(what, names)
        for name, value in attributes.items():
            if _VALUE.match(value) is None:
                raise DescriptionInvalid(
                    f"attribute '{name}': a value has 1 to 200 characters, neither commas nor control characters"
                )
        encoded = encode({"attributes": dict(sorted(attributes.items())), "labels": labels})
        if len(encoded) > MOST_BYTES:
            raise DescriptionInvalid(f"attributes and labels have {len(encoded)} bytes; a device may have {MOST_BYTES}")
        return cls(encoded)

    @property
    def tag(self) -> str:
        """What tells this description from others."""
        return sha256(self.encoded).hexdigest()[:32]

    @property
    def keys(self) -> list[str]:
        """What the device is found by."""
        document = decode(self.encoded)
        return [
            *(attribute_key(name, value) for name, value in document["attributes"].items()),
            *map(label_key, document["labels"]),
        ]


def attribute_key(name: str, value: str) -> str:
    """Return what devices with this attribute are found by."""
    return f"attribute {name}:{value}"


def label_key(name: str) -> str:
    """Return what devices with this label are found by."""
    return f"label {name}"


def _require_names(what: str, names: Collection[str]) -> None:
    if len(names) > MOST_NAMES:
        raise DescriptionInvalid(f"a device may have {MOST_NAMES} {what}s, and not {len(names)}")
    for name in names:
        if _NAME.match(name) is None:
            raise DescriptionInvalid(f"{what} '{name}': the name of one {_NAME_RULE}")


NOTHING_SAID = DeviceDescription.of({})


class DeviceJob(NamedTuple):
    """What is shown of a job of a device."""

    id: str
    workflow: str
    """Its name."""
    group: str
    """Empty for a state that is in none."""
    state: str
    mtime: Timestamp


class Device(NamedTuple):
    """What is known of a client."""

    client_id: str
    first_seen: Timestamp | None = None
    """None if it was never seen."""
    last_seen: Timestamp | None = None
    version: str = ""
    """What it said that it is; empty if it did not."""
    description: Json = NOTHING_SAID.encoded
    current: DeviceJob | None = None
    """The newest of its jobs that have not ended."""
    last: DeviceJob | None = None
    """The newest of those that have."""


@dataclass(frozen=True, slots=True)
class DeviceQuery:
    """Which devices, and which part of them: all given conditions must hold; an empty value sets no condition."""

    prefix: str = ""
    """How the client's id begins, bytewise."""
    keys: tuple[str, ...] = ()
    """Each of these; see :attr:`DeviceDescription.keys`."""
    seen: Period = ALWAYS
    """When it was seen last; one that was never seen counts as seen before everything."""
    version: str = ""
    descending: bool = False
    """The order is that of the client ids, bytewise."""
    after: str | None = None
    """The client id where the page before ended."""
    limit: int = 100
    """Devices at most; more than 0."""

    @property
    def needs_rows(self) -> bool:
        """Whether there are conditions that no index answers."""
        return bool(self.version) or self.seen != ALWAYS

    @property
    def only_seen(self) -> bool:
        """Whether no device that was never seen can fulfil the conditions."""
        return bool(self.version) or self.seen.since > ALWAYS.since


@dataclass(frozen=True, slots=True)
class DeviceList:
    """One page. It may have fewer devices than were asked for, even none, and yet be followed by another."""

    devices: tuple[Device, ...]
    next: str | None
    """The client id where the next page begins; None if that is all."""
    log_id: str
    position: int
    """The newest event that the page reflects."""
