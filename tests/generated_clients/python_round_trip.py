"""Creates a workflow and a job, reads, lists and reports on it, with a client made by openapi-python-client."""

import json
import sys

from fleet_client import Client
from fleet_client.api.jobs import get_jobs, get_jobs_id, post_jobs, post_jobs_id_tags, put_jobs_id_status
from fleet_client.api.workflows import post_workflows
from fleet_client.models import (
    ErrorResponse,
    Job,
    JobRequest,
    JobStatus,
    NewWorkflow,
    PaginatedJobList,
    Pagination,
    Workflow,
)

north, south, workflow_text = sys.argv[1:]
operator = Client(base_url=north)
device = Client(base_url=south)

workflow = post_workflows.sync(client=operator, body=NewWorkflow.from_dict(json.loads(workflow_text)))
assert isinstance(workflow, Workflow)
wanted = {
    "clientId": "press-7", "workflow": workflow.name, "tags": ["hall1"], "definition": {"n": 3, "deep": {"on": True}}
}  # fmt: skip
created = post_jobs.sync(client=operator, body=JobRequest.from_dict(wanted))
assert isinstance(created, Job)
read = get_jobs_id.sync(created.id, client=device)
assert isinstance(read, Job)
report = JobStatus.from_dict({"state": "BRIGHT", "context": {"lines": ["on"]}})
reported = put_jobs_id_status.sync(created.id, client=device, body=report)
assert isinstance(reported, JobStatus)
page = get_jobs.sync(client=operator, client_id=read.client_id, group=["CLOSED"], pagination=True)
assert isinstance(page, PaginatedJobList)
assert isinstance(page.pagination, Pagination)
tags = post_jobs_id_tags.sync(created.id, client=operator, body=["line2"])
missing = get_jobs_id.sync("missing", client=device)
assert isinstance(missing, ErrorResponse)
print(
    json.dumps(
        {
            "id": created.id,
            "listed": [job.id for job in page.content],
            "total": page.pagination.total,
            "state": reported.state,
            "tags": tags,
            "missing": missing.errors[0].code,
        }
    )
)
