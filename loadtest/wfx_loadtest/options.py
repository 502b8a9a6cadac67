"""The options of a run and of ``populate``: flags, variables and help follow from them (cli section 11)."""

from __future__ import annotations

from collections.abc import Callable

from wfx.commandline import client_tls, options
from wfx.commandline.client_tls import ClientTls
from wfx.commandline.options import ANY_FILE, Kind, Option, Value
from wfx_loadtest import thresholds
from wfx_loadtest.duration import SECOND
from wfx_loadtest.settings import Settings

_SCENARIOS = ("default", "fleet", "events")
_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal", "panic")
_DEFAULTS = Settings()


def _within(least: int, most: int | None = None) -> Callable[[Value], None]:
    """Make a check that a number is at least the one and, unless there is none, at most the other."""

    def check(value: Value) -> None:
        assert isinstance(value, int), "an option of kind INT"
        if value < least or (most is not None and value > most):
            raise ValueError(f"must be at least {least}" if most is None else f"must be from {least} to {most}")

    return check


def _above_zero(value: Value) -> None:
    assert isinstance(value, float), "an option of kind DURATION"
    if _nanoseconds(value) <= 0:
        raise ValueError("must be above zero")


def _thresholds(*, floor: bool) -> Callable[[Value], None]:
    def check(value: Value) -> None:
        assert isinstance(value, list), "an option of kind STRINGS"
        thresholds.parse(value, floor=floor)

    return check


def _nanoseconds(seconds: float) -> int:
    return round(seconds * SECOND)


_PORT, _COUNT = _within(0, 65535), _within(0)
LOG_LEVEL = Option(
    "log-level",
    Kind.STRING,
    "minimum log level: trace, debug, info, warn, error, fatal or panic",
    "info",
    suggestions=_LEVELS,
)
RUN = (
    Option("client-host", Kind.HOST, "host of the southbound API (devices)", _DEFAULTS.client_host),
    Option("client-port", Kind.INT, "port of the southbound API", _DEFAULTS.client_port, check=_PORT),
    Option("mgmt-host", Kind.HOST, "host of the northbound API (operators)", _DEFAULTS.mgmt_host),
    Option("mgmt-port", Kind.INT, "port of the northbound API", _DEFAULTS.mgmt_port, check=_PORT),
    Option("client-tls-host", Kind.HOST, "host of the southbound API with TLS", _DEFAULTS.client_tls_host),
    Option("client-tls-port", Kind.INT, "port of the southbound API with TLS", _DEFAULTS.client_tls_port, check=_PORT),
    Option("client-unix-socket", Kind.STRING, "reach the southbound API through this unix socket", extensions=ANY_FILE),
    Option("mgmt-tls-host", Kind.HOST, "host of the northbound API with TLS", _DEFAULTS.mgmt_tls_host),
    Option("mgmt-tls-port", Kind.INT, "port of the northbound API with TLS", _DEFAULTS.mgmt_tls_port, check=_PORT),
    Option("mgmt-unix-socket", Kind.STRING, "reach the northbound API through this unix socket", extensions=ANY_FILE),
    Option("enable-tls", Kind.BOOL, "use TLS, with the hosts and ports for it"),
    *client_tls.OPTIONS,
    Option("duration", Kind.DURATION, "how long to send requests", _DEFAULTS.duration / SECOND, check=_above_zero),
    Option("read-freq", Kind.INT, "read requests per second", _DEFAULTS.read_freq, check=_COUNT),
    Option("write-freq", Kind.INT, "write requests per second", _DEFAULTS.write_freq, check=_COUNT),
    Option("scenario", Kind.STRING, "kind of load", _DEFAULTS.scenario, choices=_SCENARIOS),
    Option("devices", Kind.INT, "number of simulated devices (scenario fleet)", _DEFAULTS.devices, check=_within(1)),
    Option(
        "subscribers",
        Kind.INT,
        "number of subscribers to the event stream (scenarios fleet and events)",
        _DEFAULTS.subscribers,
        check=_COUNT,
    ),
    Option(
        "poll-interval",
        Kind.DURATION,
        "how often an idle device polls for jobs (scenario fleet)",
        _DEFAULTS.poll_interval / SECOND,
        check=_above_zero,
    ),
    Option(
        "target",
        Kind.DURATION,
        "find the highest rate whose p99 stays within this; the duration is shared by all rates tried",
        check=_above_zero,
    ),
    Option(
        "fail-above",
        Kind.STRINGS,
        "exit with 99 if a figure is above its limit, such as p99=50ms, max=1s, errors=0, error-rate=0.1%",
        check=_thresholds(floor=False),
    ),
    Option(
        "fail-below",
        Kind.STRINGS,
        "exit with 99 if a figure is below its limit, such as throughput=95 (requests a second)",
        check=_thresholds(floor=True),
    ),
)
POPULATE = (
    Option("count", Kind.INT, "number of jobs to create", 1000, check=_COUNT),
    Option("workers", Kind.INT, "number of jobs created at the same time (default: number of CPUs)", check=_within(1)),
    Option("storage", Kind.STRING, "kind of storage", "sqlite"),
    Option("storage-opt", Kind.STRING, "data source of the storage", "file:wfx.db?_fk=1&_journal=WAL"),
)


def settings_of(given: options.Settings) -> Settings:
    """Return what a run is asked to do."""
    return Settings(
        client_host=given.text("client-host"),
        client_port=given.number("client-port"),
        mgmt_host=given.text("mgmt-host"),
        mgmt_port=given.number("mgmt-port"),
        client_tls_host=given.text("client-tls-host"),
        client_tls_port=given.number("client-tls-port"),
        mgmt_tls_host=given.text("mgmt-tls-host"),
        mgmt_tls_port=given.number("mgmt-tls-port"),
        client_unix_socket=given.text("client-unix-socket"),
        mgmt_unix_socket=given.text("mgmt-unix-socket"),
        enable_tls=given.flag("enable-tls"),
        tls=ClientTls.of(given),
        duration=_nanoseconds(given.seconds("duration")),
        read_freq=given.number("read-freq"),
        write_freq=given.number("write-freq"),
        scenario=given.text("scenario"),
        devices=given.number("devices"),
        subscribers=given.number("subscribers"),
        poll_interval=_nanoseconds(given.seconds("poll-interval")),
        target=_nanoseconds(given.seconds("target")) or None,
        thresholds=(
            *thresholds.parse(given.items("fail-above"), floor=False),
            *thresholds.parse(given.items("fail-below"), floor=True),
        ),
    )
