"""Lists of the fleet API, read page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from wfx.client.commands import Give, ItemFlow
from wfx.client.errors import Unreadable
from wfx.client.exchanging import RequestPlan, exchange
from wfx.client.fleet_models import Device, FleetPage, JobRow
from wfx.client.fleet_plans import ALL, list_devices, list_rows
from wfx.client.pauses import Retries
from wfx.client.plans import Sort
from wfx.client.selection import Selection

Row = TypeVar("Row")


def job_rows(retries: Retries, /, selection: Selection = ALL, *, sort: Sort = "asc") -> ItemFlow[JobRow]:
    """Give all jobs that meet the conditions as rows, in the order of their creation, read page by page (north).

    No job comes twice, and none is missed that is there all the time.
    """
    return _paged(retries, lambda after: list_rows(selection, sort=sort, after=after))


def all_devices(
    retries: Retries,
    /,
    *,
    client_id_prefix: str = "",
    labels: Sequence[str] = (),
    attributes: Mapping[str, str] | None = None,
    version: str = "",
    seen_after: datetime | None = None,
    seen_before: datetime | None = None,
    not_seen_for: timedelta | None = None,
    where: str = "",
    sort: Sort = "asc",
) -> ItemFlow[Device]:
    """Give all devices that meet all conditions, in the order of their client ids, read page by page (north).

    They have each of the labels and attributes. Devices that were never seen were seen before any moment. ``where`` is
    an expression over a device, such as ``lastResult.group == "FAILED"``.
    """
    return _paged(
        retries,
        lambda after: list_devices(
            client_id_prefix=client_id_prefix, labels=labels, attributes=attributes, version=version,
            seen_after=seen_after, seen_before=seen_before, not_seen_for=not_seen_for, where=where,
            sort=sort, after=after,
        ),
    )  # fmt: skip


def _paged(retries: Retries, plan: Callable[[str], RequestPlan[FleetPage[Row]]]) -> ItemFlow[Row]:
    """Read page after page; one may be empty and have others behind it."""
    after, read = "", set[str]()
    while True:
        page = yield from exchange(plan(after), retries)
        for row in page:
            yield Give(row)
        if not page.next:
            return
        if page.next in read:
            raise Unreadable("the server tells the same page again and again")
        read.add(page.next)
        after = page.next
