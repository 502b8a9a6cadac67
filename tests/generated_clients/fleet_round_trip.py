"""Counts and lists jobs through a client that openapi-python-client made from the document of the fleet API."""

import datetime as dt
import json
import sys

from fleet_client import Client
from fleet_client.api.jobs import get_jobs, get_jobs_summary
from fleet_client.models.fleet_job_page import FleetJobPage
from fleet_client.models.fleet_job_summary import FleetJobSummary
from fleet_client.models.problem import Problem

client = Client(base_url=sys.argv[1])
summary = get_jobs_summary.sync(client=client, group=["OPEN"], tag=["hall1"])
assert isinstance(summary, FleetJobSummary)
ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
first = get_jobs.sync(client=client, limit=2, created_after=ago)
assert isinstance(first, FleetJobPage)
second = get_jobs.sync(client=client, limit=2, created_after=ago, after=str(first.next_))
assert isinstance(second, FleetJobPage)
refused = get_jobs.sync(client=client, unchanged_for="soon")
assert isinstance(refused, Problem)
found = {
    "total": summary.total,
    "states": [each.state for each in summary.counts],
    "clients": [job.client_id for job in (*first.content, *second.content)],
    "refused": [error.code for error in refused.errors],
}
print(json.dumps(found))
