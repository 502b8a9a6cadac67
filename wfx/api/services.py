"""Services that handlers use, gathered in one object."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.types import ASGIApp

from wfx.api.answer_memory import AnswerMemory
from wfx.api.large_bodies import LargeBodies
from wfx.config.tunables import Current, Tunables
from wfx.events.broker import Broker
from wfx.filtering import Filters
from wfx.reactions.fatals import Fatals
from wfx.reactions.figures import RuleFigures
from wfx.reactions.incoming import Incoming
from wfx.reactions.rules import Rules
from wfx.service.bulk import BulkJobs
from wfx.service.devices import Devices
from wfx.service.guard import Guard
from wfx.service.health import Health
from wfx.service.jobs import Jobs
from wfx.service.limits import Limits
from wfx.service.scripts import Scripts
from wfx.service.tasks import Tasks
from wfx.service.workflows import Workflows
from wfx.store.rule_protocol import RuleStore


@dataclass(frozen=True, slots=True)
class Services:
    """All that handlers work with; shared by both sides."""

    jobs: Jobs
    bulk: BulkJobs
    limits: Limits
    guard: Guard
    workflows: Workflows
    devices: Devices
    health: Health
    broker: Broker
    filters: Filters
    large_bodies: LargeBodies
    answers: AnswerMemory
    downloads: ASGIApp
    """The file server."""
    max_body: int
    """Bytes a request body may have."""
    tunables: Current[Tunables]
    rule_store: RuleStore
    """What rules have left."""
    incoming: Incoming
    """Takes events from outside."""
    tasks: Tasks
    scripts: Scripts
    rules: Rules = field(default_factory=Rules)
    rule_figures: RuleFigures = field(default_factory=RuleFigures)
    fatals: Fatals = field(default_factory=Fatals)

    @property
    def worker_processes(self) -> dict[str, list[int]]:
        """The system's numbers of the worker processes, by what they work on."""
        return {
            "filter": self.filters.process_ids,
            "body": self.large_bodies.process_ids,
            "script": self.scripts.process_ids,
        }
