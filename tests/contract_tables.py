"""What the contract fixes about the API, as tables: the document is held against these."""

from __future__ import annotations

BOTH = frozenset({"north", "south"})
NORTH = frozenset({"north"})

OPERATIONS = (
    ("GetHealth", "GET", "/health", BOTH, False),
    ("GetVersion", "GET", "/version", BOTH, False),
    ("GetWorkflows", "GET", "/workflows", BOTH, True),
    ("PostWorkflows", "POST", "/workflows", NORTH, True),
    ("GetWorkflowsName", "GET", "/workflows/{name}", BOTH, True),
    ("DeleteWorkflowsName", "DELETE", "/workflows/{name}", NORTH, False),
    ("GetJobs", "GET", "/jobs", BOTH, True),
    ("PostJobs", "POST", "/jobs", NORTH, True),
    ("GetJobsEvents", "GET", "/jobs/events", BOTH, False),
    ("GetJobsId", "GET", "/jobs/{id}", BOTH, True),
    ("DeleteJobsId", "DELETE", "/jobs/{id}", NORTH, False),
    ("GetJobsIdStatus", "GET", "/jobs/{id}/status", BOTH, True),
    ("PutJobsIdStatus", "PUT", "/jobs/{id}/status", BOTH, True),
    ("GetJobsIdDefinition", "GET", "/jobs/{id}/definition", BOTH, True),
    ("PutJobsIdDefinition", "PUT", "/jobs/{id}/definition", BOTH, True),
    ("GetJobsIdTags", "GET", "/jobs/{id}/tags", BOTH, True),
    ("PostJobsIdTags", "POST", "/jobs/{id}/tags", NORTH, True),
    ("DeleteJobsIdTags", "DELETE", "/jobs/{id}/tags", NORTH, True),
)
"""operationId, method, path, sides that carry it out, whether a response filter applies (rest-api section 5)."""

ERRORS = {
    "wfx.invalidRequest": "96a37ea1f7d205ffbfa12334c6812727",
    "wfx.jobNotFound": "11cc67762090e15b79a1387eca65ba65",
    "wfx.workflowNotFound": "c452719774086b6e803bb8f6ecea9899",
    "wfx.workflowNotUnique": "e1ee1f2aea859b9dd34579610e386da6",
    "wfx.workflowInvalid": "18f57adc70dd79c7fb4f1246be8a6e04",
    "wfx.jobModifiedConcurrently": "dc00b05825b44934afeb9454f42a6440",
}
"""Codes and their references (rest-api section 3)."""

LIMITS = (
    ("Workflow", "name", {"minLength": 1, "maxLength": 64, "pattern": r"^[a-zA-Z0-9\-\.]+$"}),
    ("Workflow", "description", {"maxLength": 1024}),
    ("Workflow", "states", {"maxItems": 4096}),
    ("Workflow", "transitions", {"maxItems": 16384}),
    ("Workflow", "groups", {"maxItems": 1024}),
    ("State", "name", {"minLength": 1}),
    ("Group", "name", {"minLength": 1}),
    ("Group", "states", {"minItems": 1}),
    ("Transition", "from", {"minLength": 1}),
    ("Transition", "to", {"minLength": 1}),
    ("Transition", "eligible", {"enum": ["CLIENT", "WFX"]}),
    ("Transition", "action", {"enum": ["IMMEDIATE", "WAIT"]}),
    ("JobRequest", "clientId", {"minLength": 1, "maxLength": None}),
    ("JobRequest", "workflow", {"minLength": 1}),
    ("JobRequest", "tags", {"maxItems": 16, "minItems": None}),
    ("Job", "id", {"minLength": 1, "maxLength": 36, "readOnly": True}),
    ("JobStatus", "state", {"minLength": 1}),
    ("JobStatus", "progress", {"maximum": 100, "minimum": None, "format": "int32"}),
    ("JobStatus", "message", {"maxLength": 1024}),
    ("JobStatus", "definitionHash", {"maxLength": 64, "readOnly": True}),
    ("ErrorResponse", "errors", {"maxItems": 128}),
)
"""Schema, member, and what is said about it; None for what must not be limited (rest-api section 4)."""

QUERY_PARAMETERS = {
    "GetJobs": ["clientId", "state", "group", "workflow", "tag", "limit", "offset", "sort", "pagination"],
    "GetWorkflows": ["limit", "offset", "sort", "pagination"],
    "GetJobsId": ["history"],
    "GetJobsEvents": ["jobIds", "clientIds", "workflows", "actions", "tags", "since", "limit"],
}
"""Query parameters by operation; others have none (rest-api sections 6 and 10.1)."""

SUCCESS = {
    "GetHealth": {"200": {"application/json"}},
    "GetVersion": {"200": {"application/json"}},
    "GetWorkflows": {"200": {"application/json", "text/plain"}},
    "PostWorkflows": {"200": {"text/plain"}, "201": {"application/json"}},
    "GetWorkflowsName": {"200": {"application/json", "text/plain"}},
    "DeleteWorkflowsName": {"204": set()},
    "GetJobs": {"200": {"application/json", "text/plain"}},
    "PostJobs": {"200": {"text/plain"}, "201": {"application/json"}},
    "GetJobsEvents": {"200": {"application/json", "text/event-stream"}},
    "GetJobsId": {"200": {"application/json", "text/plain"}},
    "DeleteJobsId": {"204": set()},
    "GetJobsIdStatus": {"200": {"application/json", "text/plain"}},
    "PutJobsIdStatus": {"200": {"application/json", "text/plain"}},
    "GetJobsIdDefinition": {"200": {"application/json", "text/plain"}},
    "PutJobsIdDefinition": {"200": {"application/json", "text/plain"}},
    "GetJobsIdTags": {"200": {"application/json", "text/plain"}},
    "PostJobsIdTags": {"200": {"application/json", "text/plain"}},
    "DeleteJobsIdTags": {"200": {"application/json", "text/plain"}},
}
"""What success looks like: with a filter 200 and text, without JSON (rest-api sections 5 and 11)."""
