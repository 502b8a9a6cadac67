"""Composition of what has rules work: their file, the consumer of the log, tasks, and the engine of scripts."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial

from wfx.api.services import Services
from wfx.config.cross_checks import OptionRefused
from wfx.config.options import Config
from wfx.config.tunables import Current, Holder, Tunables
from wfx.reactions.admission import Admission
from wfx.reactions.consumer import RuleConsumer
from wfx.reactions.figures import RuleFigures
from wfx.reactions.rule_source import RuleSource, RulesUnusable, action_types
from wfx.reactions.rules import Rules, scripts_missing
from wfx.reactions.run_endings import RunEndings
from wfx.reactions.run_tokens import RunTokens
from wfx.reactions.script_tasks import ScriptTasks
from wfx.reactions.step_tasks import StepTasks
from wfx.reactions.waiting_action import KIND as WAITING_ACTION
from wfx.reactions.waiting_action import WaitingActions
from wfx.rules.graph import Engine
from wfx.rules.own_actions import RUN_SCRIPT, RUN_STEP
from wfx.scripts.engine import ScriptEngine, usual_processes
from wfx.scripts.errors import ScriptsUnavailable
from wfx.scripts.limits import MIB, ScriptLimits
from wfx.service.bounded_counts import BoundedCounts
from wfx.service.counted_steps import counted_steps
from wfx.service.limits import Limits, policy_of
from wfx.service.script_runs import Tracker
from wfx.service.scripts import Scripts
from wfx.store.protocol import Store
from wfx.tasks.counts import TaskCounts
from wfx.tasks.opening import Work, open_tasks
from wfx.tasks.runner import LOOK_SECONDS
from wfx.tasks.runners import TaskRunners

_logger = logging.getLogger("wfx")
_LOOK_SELDOM = 3600.0
"""Seconds between two looks for actions that wait for limits, where there are none."""


async def open_rules(config: Config) -> Rules:
    """Read the rules before anything else is done. Raises OptionRefused."""
    rules = Rules(_rule_source(config))
    if not config.enable_scripts:
        rules.observe(partial(_warn_of_scripts, rules))
    try:
        await rules.open()
    except RulesUnusable as exc:
        raise OptionRefused("rules", "\n".join(exc.faults)) from exc
    return rules


def _warn_of_scripts(rules: Rules) -> None:
    """Warn of rules that need what is off."""
    if rules.graph is not None and (warnings := scripts_missing(rules.graph)):
        _logger.warning("rules run scripts, and scripts are off", extra={"fields": {"warnings": list(warnings)}})


def prepare_rules(rules: Rules, config: Config) -> Callable[[], None]:
    """Have the rules read again, whether or not they are good: nothing else depends on them."""
    return partial(rules.reload_from, _rule_source(config))


def _rule_source(config: Config) -> RuleSource:
    return RuleSource(config.rules, config.sandbox_expression_strict_mode)


async def open_scripts(config: Config, tunables: Current[Tunables], store: Store, stack: AsyncExitStack) -> Scripts:
    """Prepare what runs scripts, if they are enabled. Raises OptionRefused."""
    engine = await _open_engine(config, stack) if config.enable_scripts else None
    return Scripts(store, engine, tunables)


async def _open_engine(config: Config, stack: AsyncExitStack) -> ScriptEngine:
    limits = ScriptLimits(
        memory=config.vm_pool_max_memory_mb * MIB,
        seconds=config.vm_pool_max_execution_seconds,
        operations=config.vm_pool_max_operations,
        admitted=config.vm_pool_max_size,
        compiled=config.vm_pool_preload_size,
    )
    engine = ScriptEngine(limits, usual_processes(), _first_number())
    stack.push_async_callback(engine.close)
    try:
        await engine.start()
    except ScriptsUnavailable as exc:
        raise OptionRefused("enable-scripts", str(exc)) from exc
    return engine


def _first_number() -> int:
    """Return the number of the first run: random, so that no other process has a run of the same number."""
    return secrets.randbelow(10**9) * 10**6 + 1


def rule_tasks(
    config: Config,
    tunables: Holder[Tunables],
    store: Store,
    rules: Rules,
    limits: Limits,
    admission: Admission,
    scripts: Scripts,
    created: BoundedCounts,
    figures: RuleFigures,
) -> TaskRunners:
    """Make what works on the tasks of rules; jobs that these create are counted, and what came of actions."""
    endings = RunEndings(store, action_types, admission, partial(_most_repetitions, tunables), figures)
    tracker = Tracker(lambda: tunables.current.tracker_enabled)
    tokens = RunTokens(limits)
    runs = ScriptTasks(scripts, endings, config.vm_pool_max_execution_seconds, tracker)
    counts = TaskCounts()
    steps = StepTasks(lambda: rules.steps, endings, counts)
    runners = open_tasks(
        store, tunables, counts, partial(_action_workers, rules), tokens.wait,
        {RUN_SCRIPT: Work(runs.perform, runs.longest), RUN_STEP: Work(steps.perform, steps.longest)},
        {WAITING_ACTION: WaitingActions(admission, created).perform},
        lambda: LOOK_SECONDS if admission.is_asked else _LOOK_SELDOM,
    )  # fmt: skip

    def changed() -> None:
        admission.forget()
        tokens.forget()
        runners.hurry()

    tunables.derive(partial(_if_limits_change, tunables, changed))
    return runners


def _if_limits_change(tunables: Holder[Tunables], changed: Callable[[], None], new: Tunables) -> Callable[[], None]:
    """Return what to call once the new options are in use: ``changed``, if they change the limits."""
    return _nothing if policy_of(new).bands == policy_of(tunables.current).bands else changed


def _nothing() -> None:
    pass


def _action_workers(rules: Rules) -> int:
    return (Engine() if rules.graph is None else rules.graph.engine).action_workers


def rule_consumer(services: Services, store: Store, admission: Admission) -> RuleConsumer:
    """Make what has the rules work on the log."""
    return RuleConsumer(
        counted_steps(store, services.guard), services.rules, services.rule_figures, services.fatals,
        services.jobs.created, admission, partial(_most_repetitions, services.tunables),
        is_shared=store.buckets is not None,
    )  # fmt: skip


def _most_repetitions(tunables: Current[Tunables]) -> int:
    return tunables.current.sandbox_max_allowed_repetitions
