"""The methods that both clients have: each is made of a plan or a flow, and runs as its client does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from wfx.client import fleet_lists, fleet_plans, following, plans, polling
from wfx.client.commands import Flow, ItemFlow
from wfx.client.exchanging import RequestPlan, exchange
from wfx.client.pauses import Retries

P = ParamSpec("P")
T = TypeVar("T")


class Blocking(ABC):
    """Runs flows and waits for them."""

    retries: Retries

    @abstractmethod
    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end, and return its result."""

    @abstractmethod
    def iterate(self, flow: ItemFlow[T]) -> Iterator[T]:
        """Run a flow as far as its items are taken."""


class Asynchronous(ABC):
    """Runs flows on the event loop."""

    retries: Retries

    @abstractmethod
    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end, and return its result."""

    @abstractmethod
    def iterate(self, flow: ItemFlow[T]) -> AsyncIterator[T]:
        """Run a flow as far as its items are taken."""


class Operation(Generic[P, T]):
    """A method that returns what a flow ends with."""

    def __init__(self, flow: Callable[Concatenate[Retries, P], Flow[T]], doc: str | None = None) -> None:
        """Take what makes the flow."""
        self._flow = flow
        self.__doc__ = doc or flow.__doc__

    @overload
    def __get__(self, client: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, client: Blocking, owner: Any) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Asynchronous, owner: Any) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, client: Blocking | Asynchronous | None, owner: Any) -> Any:
        """Bind it to a client."""
        if client is None:
            return self

        def method(*arguments: P.args, **named: P.kwargs) -> Any:
            return client.run(self._flow(client.retries, *arguments, **named))

        method.__doc__ = self.__doc__
        return method


class Items(Generic[P, T]):
    """A method that gives the items of a flow."""

    def __init__(self, flow: Callable[Concatenate[Retries, P], ItemFlow[T]]) -> None:
        """Take what makes the flow."""
        self._flow = flow
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, client: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, client: Blocking, owner: Any) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: Asynchronous, owner: Any) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, client: Blocking | Asynchronous | None, owner: Any) -> Any:
        """Bind it to a client."""
        if client is None:
            return self

        def method(*arguments: P.args, **named: P.kwargs) -> Any:
            return client.iterate(self._flow(client.retries, *arguments, **named))

        method.__doc__ = self.__doc__
        return method


def _operation(plan: Callable[P, RequestPlan[T]]) -> Operation[P, T]:
    def flow(retries: Retries, /, *arguments: P.args, **named: P.kwargs) -> Flow[T]:
        return exchange(plan(*arguments, **named), retries)

    return Operation(flow, plan.__doc__)


class Operations:
    """What a client can do."""

    create_job = _operation(plans.create_job)
    get_job = _operation(plans.get_job)
    list_jobs = _operation(plans.list_jobs)
    delete_job = _operation(plans.delete_job)
    all_jobs = Items(polling.all_jobs)
    wait_for = Operation(polling.wait_for)
    poll_jobs = Items(polling.poll_jobs)

    get_status = _operation(plans.get_status)
    update_status = _operation(plans.update_status)
    get_definition = _operation(plans.get_definition)
    update_definition = _operation(plans.update_definition)
    get_tags = _operation(plans.get_tags)
    add_tags = _operation(plans.add_tags)
    delete_tags = _operation(plans.delete_tags)

    create_workflow = _operation(plans.create_workflow)
    get_workflow = _operation(plans.get_workflow)
    list_workflows = _operation(plans.list_workflows)
    all_workflows = Items(polling.all_workflows)
    delete_workflow = _operation(plans.delete_workflow)

    summarize_jobs = _operation(fleet_plans.summarize_jobs)
    list_rows = _operation(fleet_plans.list_rows)
    job_rows = Items(fleet_lists.job_rows)
    create_jobs = _operation(fleet_plans.create_jobs)
    update_jobs = _operation(fleet_plans.update_jobs)
    delete_jobs = _operation(fleet_plans.delete_jobs)
    tag_jobs = _operation(fleet_plans.tag_jobs)

    get_details = _operation(fleet_plans.get_details)
    move_job = _operation(fleet_plans.move_job)
    delete_unchanged = _operation(fleet_plans.delete_unchanged)

    list_devices = _operation(fleet_plans.list_devices)
    all_devices = Items(fleet_lists.all_devices)
    get_device = _operation(fleet_plans.get_device)
    get_attributes = _operation(fleet_plans.get_attributes)
    describe_device = _operation(fleet_plans.describe_device)
    delete_device = _operation(fleet_plans.delete_device)

    events = Items(following.follow)
    health = _operation(plans.health)
    version = _operation(plans.version)
