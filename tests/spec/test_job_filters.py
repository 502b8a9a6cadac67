"""The filters on jobs are one table: the document, the client's flags, queries and indexes follow it."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from tests.store.samples import FLOW
from wfx.api.spec import operations
from wfx.domain.job import Job
from wfx.domain.json import Json
from wfx.domain.query import JobQuery
from wfx.domain.timestamp import Timestamp
from wfx.store.job_filters import JOB_FILTERS, JobFilter, Source
from wfxctl import selections
from wfxctl.commands import job_query, job_summary

ROOT = Path(__file__).parents[2]
MEMBERS = [field.name for field in fields(JobQuery) if field.name != "paging"]
PARAMETERS = {one.parameter for one in JOB_FILTERS}
OF_EVERY_PAGE = {"Limit", "Offset", "Sort", "Pagination", "Filter"}
OF_THE_FLEET = {option.name for option in selections.FLEET_OPTIONS}
OTHER_FLAGS = {"limit", "offset", "sort", "watch", "output", "columns", "sort-by", "color"}


def test_the_document_has_the_filters_of_the_table() -> None:
    """GET /jobs has a parameter for each filter, and beside those only what chooses a page."""
    document = yaml.safe_load((ROOT / "spec" / "wfx.openapi.yml").read_text(encoding="utf-8"))
    given = document["paths"]["/jobs"]["get"]["parameters"]
    assert {one["name"] for one in given if "name" in one} == PARAMETERS
    assert {one["$ref"].rpartition("/")[2] for one in given if "$ref" in one} == OF_EVERY_PAGE


def test_the_client_has_a_flag_for_each_filter() -> None:
    """``wfxctl job query`` and ``job summary`` have a flag for each filter; others are the fleet API's, or a page's."""
    named = {re.sub("(?<=[a-z])(?=[A-Z])", "-", name).lower() for name in PARAMETERS}
    for command in (job_query.COMMAND, job_summary.COMMAND):
        assert {option.name for option in command.options} - OTHER_FLAGS - OF_THE_FLEET == named


def test_the_fleet_document_has_the_filters_of_the_table() -> None:
    """Each filter of GET /jobs is one of the summary and of lists, and takes the same values but empty ones."""
    contract = {one["name"]: one["schema"] for one in operations()["GetJobs"].parameters if one["name"] in PARAMETERS}
    for operation in ("GetFleetJobsSummary", "GetFleetJobs"):
        given = {one["name"]: one["schema"] for one in operations()[operation].parameters}
        for name, schema in contract.items():
            given[name] = deepcopy(given[name])
            text = given[name].get("items", given[name])
            assert text.pop("minLength") == 1, name
            assert given[name] == {key: value for key, value in schema.items() if value != ""}, name


def test_a_summary_has_the_conditions_of_lists() -> None:
    """What narrows a list down narrows a summary down; the others choose a page."""
    summary, lists = (
        {one["name"]: one for one in operations()[operation].parameters}
        for operation in ("GetFleetJobsSummary", "GetFleetJobs")
    )
    assert lists == summary | {name: lists[name] for name in ("sort", "limit", "after")}


@pytest.mark.parametrize("member", MEMBERS)
def test_each_condition_of_a_query_is_one_filter(member: str) -> None:
    """Whatever a query asks for, paging aside, is looked at by one filter, and by no other."""
    empty = JobQuery()
    query = JobQuery(**{member: "x" if getattr(empty, member) == "" else ("x",)})
    assert [tuple(one.wanted(query)) for one in JOB_FILTERS if one.wanted(query)] == [("x",)]
    assert not any(one.wanted(empty) for one in JOB_FILTERS)
    assert len(JOB_FILTERS) == len(MEMBERS)


def test_filters_name_what_there_is() -> None:
    """A filter follows a member of jobs, and one on a job's row has an index."""
    assert {one.changes_with for one in JOB_FILTERS} - {""} <= set(Job._fields)
    assert all(one.index for one in JOB_FILTERS if one.source is Source.JOB)


@pytest.mark.parametrize("one", JOB_FILTERS, ids=lambda one: one.parameter)
def test_a_filter_finds_what_a_job_has(one: JobFilter) -> None:
    """A job is found by a value that it has and not by another one; and values differ only with what is followed."""
    job = Job("1", "press-7", FLOW, "RUN", Json(b"{}"), "", None, Json(b'["a"]'), Timestamp(1), Timestamp(1))
    other = job._replace(state="DONE", tags=Json(b'["b"]'))
    assert list(one.values(job)) == {
        "clientId": ["press-7"], "state": ["RUN"], "workflow": [FLOW.name], "group": ["OPEN"], "tag": ["a"],
    }[one.parameter]  # fmt: skip
    assert (list(one.values(job)) != list(one.values(other))) == bool(one.changes_with)
