"""Consumers' places on the log, and leases, in dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wfx.domain.errors import StepTaken
from wfx.domain.timestamp import Timestamp
from wfx.store.operations import EndLeases, TakeLease, TakeStep
from wfx.store.protocol import Consumer, Lease


class MemoryConsumers:
    """What the memory backend knows of who reads its log."""

    def __init__(self) -> None:
        self._consumers: dict[str, Consumer] = {}
        self._leases: dict[str, Lease] = {}

    def open(self, name: str, head: int) -> Consumer:
        """Return the consumer; a new one begins at the head."""
        return self._consumers.setdefault(name, Consumer(name, head, 0, 0))

    def all(self) -> Sequence[Consumer]:
        """Return all consumers by name."""
        return sorted(self._consumers.values(), key=lambda one: one.name.encode())

    def after(self, step: TakeStep) -> Consumer:
        """Return what the step makes of its consumer. Raises StepTaken if that is elsewhere, or has taken the step."""
        present = self._consumers.get(step.consumer)
        if present is None or (present.position, present.steps) != (step.after, step.number):
            raise StepTaken(step.consumer, step.after, step.number)
        return replace(present, position=step.upto, steps=step.number + 1)

    def put(self, consumer: Consumer) -> None:
        """Replace the consumer with this name."""
        self._consumers[consumer.name] = consumer

    def last_to_prune(self, wanted: int, at_least: int) -> int:
        """Return how far to prune so that no consumer loses an event behind ``at_least``."""
        slowest = min((one.position for one in self._consumers.values()), default=wanted)
        return min(wanted, max(slowest, at_least))

    def move_to_horizon(self, horizon: int) -> None:
        """Let consumers that are not so far go on behind what is pruned, and note how much they lose."""
        for one in self.all():
            if one.position < horizon:
                self.put(replace(one, position=horizon, lost=one.lost + horizon - one.position))

    def lease(self, operation: TakeLease | EndLeases, now: int) -> Lease | None:
        """Take or renew a lease, or end those of a holder."""
        if isinstance(operation, TakeLease):
            return self._take_lease(operation, now)
        for lease in [*self._leases.values()]:
            if lease.holder == operation.holder:
                self._leases[lease.name] = replace(lease, until=Timestamp(0))
        return None

    def _take_lease(self, operation: TakeLease, now: int) -> Lease | None:
        """Take or renew the lease, unless another holder has it."""
        present = self._leases.get(operation.name)
        others = present is not None and present.holder != operation.holder
        if present is not None and others and now < present.until <= operation.latest_end(now):
            return None
        epoch = 1 if present is None else present.epoch + others
        self._leases[operation.name] = Lease(operation.name, operation.holder, epoch, Timestamp(now + operation.ttl))
        return self._leases[operation.name]
