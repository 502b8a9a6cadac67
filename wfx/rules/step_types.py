"""Steps that installed packages add: decide in Python what scripts decide in JavaScript."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

GROUP = "wfx.steps"
"""Entry point by which packages add steps: an object, or a class without parameters."""


class StepInput(NamedTuple):
    """What a step is given."""

    payload: Any
    """What the rule gives it; the payload of the event by default."""
    state: str
    """The state that the job is in; empty where there is no job."""
    job: Mapping[str, Any] | None
    """The job with id, clientId, workflow, state, tags, status and definition."""
    data: Mapping[str, Any]
    """What the rule gives as ``data``."""
    key: str
    """Names the run: the same for each attempt at it, and for no other run."""
    time: float
    """When the run was promised, in seconds since 1970: the same for each attempt."""


@runtime_checkable
class Step(Protocol):
    """A step. It may also have ``collect(given)``, which reads what it needs and returns that as a mapping."""

    @property
    def name(self) -> str:
        """Its name in rule files."""
        ...

    def run(self, given: StepInput, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return ``next``, ``payload`` and ``actions``, any of which may be missing. Has no effect itself."""
        ...


class InstalledStep(NamedTuple):
    """A step, and whose it is."""

    step: Step
    package: str

    @property
    def summary(self) -> str:
        """What it says of itself, if anything."""
        return str(getattr(self.step, "summary", ""))


Steps = Mapping[str, InstalledStep]
NO_STEPS: Steps = MappingProxyType({})


def installed_steps(found: Iterable[EntryPoint] | None = None) -> Steps:
    """Return the steps of installed packages by name. Raises ValueError for one that cannot be used, or given twice."""
    steps: dict[str, InstalledStep] = {}
    for point in entry_points(group=GROUP) if found is None else found:
        package = point.dist.name if point.dist is not None else point.value
        if (other := steps.get(point.name)) is not None:
            raise ValueError(
                f"there are two steps {point.name}, of {other.package} and of {package}: uninstall a package with one"
            )
        steps[point.name] = InstalledStep(_loaded(point), package)
    return MappingProxyType(steps)


def _loaded(point: EntryPoint) -> Step:
    named = f"the step {point.name} of {point.value} cannot be used"
    try:
        made = point.load()
        made = made() if isinstance(made, type) else made
        is_sound = isinstance(made, Step) and made.name == point.name and callable(getattr(made, "collect", len))
    except (Exception, SystemExit) as exc:
        raise ValueError(f"{named}: {type(exc).__name__}: {exc}") from exc
    if not is_sound:
        raise ValueError(f"{named}: it needs name (the same name) and run, and may have collect")
    return made  # type: ignore[no-any-return]  # it was checked
