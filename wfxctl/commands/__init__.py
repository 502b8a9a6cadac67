"""The tree of commands. Each command is a module of its own, and none knows another."""

from __future__ import annotations

from wfx.commandline import completion, help, man_pages  # noqa: A004  # help is the command's name
from wfx.commandline.grammar import Command
from wfx.version import COMMIT, VERSION
from wfxctl import names
from wfxctl.commands import (
    context,
    device_label,
    device_list,
    device_show,
    health,
    job_create,
    job_definition,
    job_delete,
    job_describe,
    job_events,
    job_get,
    job_history,
    job_query,
    job_retry,
    job_status,
    job_summary,
    job_tags,
    job_wait,
    limit_show,
    rule_graph,
    rule_list,
    rule_test,
    rule_validate,
    score,
    script_delete,
    script_processes,
    script_put,
    script_read,
    script_run,
    script_runs,
    script_validate,
    version,
    webhook_list,
    webhook_replay,
    workflow_apply,
    workflow_create,
    workflow_delete,
    workflow_read,
    workflow_validate,
)
from wfxctl.flags import GLOBAL

_DEVICE = Command(
    "device",
    "List, show and label devices",
    children=(device_label.COMMAND, device_list.COMMAND, device_show.COMMAND),
)
_JOB = Command(
    "job",
    "Create, show, change and watch jobs",
    children=(
        job_tags.ADD,
        job_create.COMMAND,
        job_tags.DELETE,
        job_delete.COMMAND,
        job_describe.COMMAND,
        job_events.COMMAND,
        job_get.COMMAND,
        job_definition.GET,
        job_status.GET,
        job_tags.GET,
        job_history.COMMAND,
        job_query.COMMAND,
        job_retry.COMMAND,
        job_summary.COMMAND,
        job_definition.UPDATE,
        job_status.UPDATE,
        job_wait.COMMAND,
    ),
)
_LIMIT = Command("limit", "Show limits", children=(limit_show.COMMAND,))
_RULE = Command(
    "rule",
    "List, check, try and draw rules",
    children=(rule_graph.COMMAND, rule_list.COMMAND, rule_test.COMMAND, rule_validate.COMMAND),
)
_SCRIPT = Command(
    "script",
    "Put, show, try and delete scripts",
    children=(
        script_delete.COMMAND,
        script_processes.KILL,
        script_read.LIST,
        script_processes.PS,
        script_put.COMMAND,
        script_runs.REPLAY,
        script_run.COMMAND,
        script_runs.LIST,
        script_read.SHOW,
        script_validate.COMMAND,
        script_read.VERSIONS,
    ),
)
_WEBHOOK = Command(
    "webhook",
    "List webhooks and mails of rules, and send failed ones again",
    children=(webhook_list.COMMAND, webhook_replay.COMMAND),
)
_WORKFLOW = Command(
    "workflow",
    "Create, show, check and delete workflows",
    children=(
        workflow_apply.COMMAND,
        workflow_create.COMMAND,
        workflow_delete.COMMAND,
        workflow_read.GET,
        workflow_read.QUERY,
        workflow_validate.COMMAND,
    ),
)
ROOT = Command(
    "wfxctl",
    "Drive a wfx service from a terminal",
    """
    wfxctl drives a wfx service: it creates and follows jobs, and looks after workflows.

    Results go to standard output, everything else to standard error. Exit codes are 0 for success and 1 for failure,
    unless a command says otherwise; an interrupt gives 130.

    Every flag can also be set by a variable (WFX_ and its name in capitals, such as WFX_CLIENT_PORT) and, by its name,
    in a configuration file. Flags beat variables, variables beat the context in use, and that beats files.
    """,
    children=(
        *completion.commands("wfxctl", names.offered),
        context.COMMAND,
        _DEVICE,
        health.COMMAND,
        help.command("wfxctl", "job create"),
        _JOB,
        _LIMIT,
        man_pages.command("wfxctl"),
        _RULE,
        score.COMMAND,
        _SCRIPT,
        version.COMMAND,
        _WEBHOOK,
        _WORKFLOW,
    ),
    inherited=GLOBAL,
    version=lambda: f"wfxctl version {VERSION} (commit {COMMIT})\n",
)
