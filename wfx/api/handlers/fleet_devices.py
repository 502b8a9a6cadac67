"""Handlers of the fleet API that are about devices."""

from __future__ import annotations

from collections.abc import Collection

from starlette.responses import Response

from wfx.api.bad_request import BadRequest
from wfx.api.cursor import id_cursor_of, read_id_cursor, require_log
from wfx.api.entity_tags import excludes, has_exclusion, must_exist, not_modified, wanted_tags
from wfx.api.large_answers import document_reply
from wfx.api.parameters import period_of
from wfx.api.reply import Reply, json_reply
from wfx.api.request import ApiRequest
from wfx.domain.device import (
    NOTHING_SAID,
    DeviceDescription,
    DeviceQuery,
    attribute_key,
    label_key,
)
from wfx.domain.device_json import document_of
from wfx.domain.errors import DeviceChanged, DeviceNotFound
from wfx.domain.json import encode
from wfx.events.position import event_id
from wfx.expressions.errors import ExpressionError
from wfx.service.device_filter import DeviceFilter


async def query(request: ApiRequest) -> Response:
    """GET /devices."""
    given = request.query
    log_id, after = read_id_cursor(given["after"]) if given["after"] else ("", None)
    wanted = DeviceQuery(
        prefix=given["clientIdPrefix"] or "",
        keys=tuple(dict.fromkeys([*map(_attribute, given["attribute"]), *map(label_key, given["label"])])),
        seen=period_of(given["seenAfter"], given["seenBefore"], given["notSeenFor"]),
        version=given["version"] or "",
        descending=given["sort"] == "desc",
        after=after,
        limit=given["limit"],
    )
    page = await request.services.devices.list(wanted, _filter(given["filter"]))
    require_log(log_id, page.log_id)
    shown: dict[str, object] = {"content": [document_of(device) for device in page.devices]}
    if page.next is not None:
        shown["next"] = id_cursor_of(page.log_id, page.next)
    return await document_reply(request, encode(shown | {"position": event_id(page.log_id, page.position)}))


async def get(request: ApiRequest) -> Response:
    """GET /devices/{clientId}."""
    device = await request.services.devices.get(request.path["clientId"])
    return json_reply(encode(document_of(device)))


async def delete(request: ApiRequest) -> Response:
    """DELETE /devices/{clientId}."""
    await request.services.devices.delete(request.path["clientId"])
    return Reply(204)


async def get_attributes(request: ApiRequest) -> Response:
    """GET /devices/{clientId}/attributes."""
    device = await request.services.devices.get(request.path["clientId"])
    description = DeviceDescription(device.description)
    if excludes(request.scope["headers"], description.tag.encode()):
        return not_modified(_tag_of(description))
    return _description_reply(description)


async def put_attributes(request: ApiRequest) -> Response:
    """PUT /devices/{clientId}/attributes."""
    description: DeviceDescription = request.body
    expected = await _expected_tags(request)
    await request.services.devices.describe(request.path["clientId"], description, expected)
    return _description_reply(description)


async def _expected_tags(request: ApiRequest) -> Collection[str] | None:
    """Return the tags that what is said of the device may have; None for any. Raises DeviceChanged."""
    headers, client_id = request.scope["headers"], request.path["clientId"]
    expected, is_excluding = wanted_tags(headers), has_exclusion(headers)
    if not is_excluding and not must_exist(headers):
        return expected
    try:
        device = await request.services.devices.get(client_id)
    except DeviceNotFound as exc:
        if must_exist(headers):
            raise DeviceChanged(client_id, is_known=False) from exc
        return (NOTHING_SAID.tag,) if expected is None else expected
    present = DeviceDescription(device.description).tag
    if excludes(headers, present.encode()):
        raise DeviceChanged(client_id, is_known=True)
    return (present,) if expected is None and is_excluding else expected


def _filter(text: str | None) -> DeviceFilter | None:
    try:
        return None if text is None else DeviceFilter(text)
    except ExpressionError as exc:
        raise BadRequest(f"parameter 'filter', column {exc.offset + 1}: {exc}") from exc


def _attribute(text: str) -> str:
    name, colon, value = text.partition(":")
    if not colon:
        raise BadRequest(f"parameter 'attribute': '{text}' is no name:value, such as site:hall1")
    return attribute_key(name, value)


def _description_reply(description: DeviceDescription) -> Reply:
    return json_reply(description.encoded, 200, ((b"etag", _tag_of(description)),))


def _tag_of(description: DeviceDescription) -> bytes:
    return f'"{description.tag}"'.encode()
