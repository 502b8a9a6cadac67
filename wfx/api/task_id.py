"""Parser of task numbers in paths; they have to fit into the integers of the stores."""

from __future__ import annotations

import re

from wfx.api.bad_request import BadRequest
from wfx.api.request import ApiRequest

_ID = re.compile(r"[1-9][0-9]{0,18}\Z", re.ASCII)
_LARGEST = 2**63 - 1


def task_id_of(request: ApiRequest, parameter: str) -> int:
    """Return the task number in a parameter of the path. Raises BadRequest."""
    given = request.path[parameter]
    if not _ID.match(given) or (task_id := int(given)) > _LARGEST:
        raise BadRequest(f"parameter '{parameter}': '{given[:60]}' is not the number of a task")
    return task_id
