"""Jobs of a rollout, and what all problems have."""

from __future__ import annotations

from typing import Any

import httpx

PROBLEM = "application/problem+json"


class Rollout:
    """Jobs of a workflow of their own."""

    def __init__(self, north: httpx.Client, south: httpx.Client, workflow: str, mark: str) -> None:
        """Create six jobs of two clients with tags in turn; the last two are INSTALLING, then one of them ends."""
        self.workflow, self.mark = workflow, mark
        self.ids = []
        for number in range(6):
            request = {"clientId": f"{mark}-c{number % 2}", "workflow": workflow, "tags": [mark, f"t{number % 3}"]}
            self.ids.append(north.post("/jobs", json=request).json()["id"])
        for job_id in self.ids[4:]:
            south.put(f"/jobs/{job_id}/status", json={"state": "INSTALLING"})
        south.put(f"/jobs/{self.ids[5]}/status", json={"state": "TERMINATED"})


def require_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Hold an answer against what all problems have; returns it."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    problem: dict[str, Any] = answer.json()
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    assert problem["title"] == answer.reason_phrase
    assert problem["detail"] == problem["errors"][0]["message"]
    assert [each["code"] for each in problem["errors"]] == [code]
    return problem
