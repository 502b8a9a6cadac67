"""Filters of lists of devices: what expressions say of a device, what they cost, what is wrong with them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wfx.domain.device import MOST_BYTES, Device, DeviceDescription, DeviceJob
from wfx.domain.timestamp import Timestamp
from wfx.expressions.errors import ExpressionError
from wfx.service.device_filter import MOST_STEPS, DeviceFilter
from wfx.store.device_lists import LOOKED_AT

NOW = datetime(2026, 7, 2, 8, tzinfo=UTC)
SEEN = Timestamp(int(datetime(2026, 7, 1, 8, 3, 7, 500_000, tzinfo=UTC).timestamp() * 1e6))
ATTRIBUTES = {"site": "hall1", "line.no": "2", "rack-unit": "7", "a/b": "x"}
PRESS = Device(
    "press-7", Timestamp(0), SEEN, "SWUpdate 2026.05.1",
    DeviceDescription.of({"attributes": ATTRIBUTES, "labels": ["canary", "old"]}).encoded,
    DeviceJob("1", "lamp.flow", "OPEN", "DARK", SEEN), DeviceJob("2", "lamp.flow", "FAILED", "BROKEN", SEEN),
)  # fmt: skip
BARE = Device("x")


def accepts(text: str, device: Device = PRESS) -> bool:
    """Tell whether a device fulfils an expression."""
    return DeviceFilter(text).accepts(device, NOW)


@pytest.mark.parametrize("text", [
    'clientId == "press-7"', 'clientId matches "^press-[0-9]+$"', 'version contains "2026.05"',
    'labels contains "canary"', '"old" in labels', 'attributes.site == "hall1"', 'attributes.line.no == "2"',
    'attributes["rack-unit"] == "7"', 'attributes["a/b"] in ["x", "y"]', 'attributes["site"] != attributes.none',
    'currentJob.state == "DARK" AND lastResult.group == "FAILED"', 'lastResult["workflow"] == "lamp.flow"',
    'lastSeen == "2026-07-01T08:03:07.5Z"', 'firstSeen == "1970-01-01T00:00:00Z"',
    "flw.time.secondsBetween(lastSeen, flw.time.now()) > 23 * 3600",
    'flw.string.startsWith(flw.string.upper(version), "SWUP")', "flw.math.max(1, 2) == 2",
    'NOT (labels contains "new") AND attributes.none == null AND true',
    '(attributes.site == "hall2" OR currentJob != null)',
])  # fmt: skip
def test_what_holds_of_a_device(text: str) -> None:
    """Whatever a list shows of a device can be asked for, under the name that it has there."""
    assert accepts(text)
    assert not accepts(f"NOT ({text})")


@pytest.mark.parametrize("text", [
    'version == "1"', 'version contains "1"', 'version matches "1"', 'labels contains "canary"',
    'lastResult.group in ["FAILED"]', "lastSeen != null OR currentJob != null", 'attributes.site == "hall1"',
    'flw.string.lower(version) == "1"', 'NOT (flw.string.lower(version) == "1")',
    "flw.time.secondsBetween(lastSeen, flw.time.now()) > 0", "1 / 0 > 1", "flw.time.hour(clientId) > 1",
])  # fmt: skip
def test_what_is_not_known_is_null(text: str) -> None:
    """What is not known of a device is null, which equals nothing else; what has no value leaves the device out."""
    assert not accepts(text, BARE)
    assert accepts("version == null AND lastSeen == null AND lastResult.state == null AND labels == []", BARE)
    assert accepts('version != "1" AND NOT (version matches "1")', BARE)


@pytest.mark.parametrize(("text", "column", "said"), [
    ("", 1, "the expression is empty"),
    ("labels contains", 16, "a value is missing before the end"),
    ('clientId = "a"', 10, "compare with =="),
    ('label contains "a"', 1, "a device has no label, only clientId, firstSeen, lastSeen, version, currentJob, "),
    ('label contains "a"', 1, "(did you mean labels?)"),
    ('payload.x == "a"', 1, "a device has no payload.x"),
    ('true AND lastResult.sate == "A"', 10, "(did you mean lastResult.state?)"),
    ("version.major == null", 1, "version is a text and has no member major"),
    ('labels["a"] == null', 7, "an operator is missing before ["),
    ("attributes.line > 2", 1, "a number is needed here, and this is a text"),
    ('lastSeen < "2026-07-01T08:00:00Z"', 1, "a number is needed here, and this is a text"),
    ("attributes.line == 2", 17, "a text never equals a number: a text is in quotes"),
    ("labels", 1, "true or false is needed here, and this is a list"),
    ("flw.time.now", 1, "is a function: write flw.time.now(…)"),
    ('vars:get("version") == "a"', 1, "unknown function vars:get"),
    ('flw.io.toJson(labels) == "a"', 1, "unknown function flw.io.toJson"),
    ('version matches "("', 17, "the pattern cannot be used"),
    ('version matches "x{1,1000}{1,1000}"', 17, "the pattern cannot be used"),
    ("version matches clientId", 17, "matches needs a pattern in double quotes"),
    ("NOT " * 70 + "true", 257, "nested too deeply"),
    ("true" + " OR true" * 600, 4097, "at most 4096 characters"),
])  # fmt: skip
def test_mistakes_have_a_column(text: str, column: int, said: str) -> None:
    """Whatever is wrong with an expression is told before any device is looked at, with its column and a remedy."""
    with pytest.raises(ExpressionError) as caught:
        DeviceFilter(text)
    assert said in str(caught.value)
    assert caught.value.offset + 1 == column


def test_an_expression_takes_a_bounded_number_of_steps() -> None:
    """Patterns and lists count as what they cost; what takes too many steps is refused, what takes many sees less."""
    assert (
        DeviceFilter('labels contains "a" AND version matches "^SWUpdate 2026" OR attributes.x != "b"').most_devices
        == LOOKED_AT
    )
    middle = DeviceFilter('version matches "[a-z]{1,300}x"')
    assert 20 <= middle.most_devices < LOOKED_AT
    assert 1 <= middle.devices_per_turn <= 5
    for text in (
        " OR ".join(['version matches "[a-z]{1,300}x"'] * 3),
        " OR ".join(["labels == labels"] * 100),
        f"clientId in [{', '.join(['flw.time.now()'] * 170)}, {', '.join(['attributes'] * 110)}]",
    ):
        with pytest.raises(ExpressionError, match=f"more than {MOST_STEPS:,} steps"):
            DeviceFilter(text)


def test_values_are_as_short_as_steps_suppose() -> None:
    """No text of a device is longer than some kilobytes, and no function that filters may call makes one longer."""
    assert MOST_BYTES <= 8 * 1024
    for name in ("flw.io.toJson", "flw.base64.encode", "flw.base64.decode", "flw.io.fromJson", "flw.format.number"):
        with pytest.raises(ExpressionError, match="unknown function"):
            DeviceFilter(f'{name}(version) == "a"')
