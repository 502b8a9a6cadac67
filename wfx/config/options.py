"""Table of the server's options, from which flags, variables, file keys, help and docs follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, NewType

from wfx.config import max_ages
from wfx.config import option_checks as checks
from wfx.config.masking import mask_whole, without_passwords
from wfx.limits import policy
from wfx.logs import FORMATS, LEVELS
from wfx.request_context import Side

Seconds = NewType("Seconds", float)
Host = NewType("Host", str)

ENGINES = ("auto", "uvicorn", "hypercorn")
SCHEMES = ("http", "https", "unix")
SIDES = tuple(side.value for side in Side)


_MOST_PORTS = 65535
_MINUTES_OF_A_YEAR = 366 * 24 * 60
_LEAST_TIME = 0.001
"""Seconds that anything may be limited to: in less nothing can be done."""


def _option(
    default: Any,
    text: str,
    choices: tuple[str, ...] = (),
    *,
    least: float = 0,
    most: float | None = None,
    or_zero: bool = False,
    check: Callable[[str], None] | None = None,
    reload: bool = False,
    mask: Callable[[str], str] | None = None,
) -> Any:
    metadata = {
        "help": text, "choices": choices, "least": least, "most": most, "or_zero": or_zero, "check": check,
        "reload": reload, "mask": mask,
    }  # fmt: skip
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one run. A member ``client_host`` is the flag ``--client-host`` and ``WFX_CLIENT_HOST``."""

    scheme: tuple[str, ...] = _option(("http",), "what to listen on, for both APIs; may be several", SCHEMES)
    client_host: Host = _option(Host("0.0.0.0"), "address of the southbound API (devices)")  # noqa: S104  # devices are elsewhere
    client_port: int = _option(8080, "port of the southbound API; 0 takes a free one", most=_MOST_PORTS)
    mgmt_host: Host = _option(Host("127.0.0.1"), "address of the northbound API (operators)")
    mgmt_port: int = _option(8081, "port of the northbound API; 0 takes a free one", most=_MOST_PORTS)
    client_tls_host: Host = _option(Host("0.0.0.0"), "address of the southbound API for https")  # noqa: S104  # as above
    client_tls_port: int = _option(8443, "port of the southbound API for https; 0 takes a free one", most=_MOST_PORTS)
    mgmt_tls_host: Host = _option(Host("127.0.0.1"), "address of the northbound API for https")
    mgmt_tls_port: int = _option(8444, "port of the northbound API for https; 0 takes a free one", most=_MOST_PORTS)
    client_unix_socket: str = _option("/tmp/wfx-client.sock", "Unix socket of the southbound API")  # noqa: S108  # the contract's
    mgmt_unix_socket: str = _option("/tmp/wfx-mgmt.sock", "Unix socket of the northbound API")  # noqa: S108  # the contract's
    unix_socket_mode: str = _option(
        "", "permissions of Unix sockets, such as 0660; empty leaves them to the umask", check=checks.mode
    )
    tls_certificate: str = _option(
        "", "PEM file of the server's certificate, followed by those of its issuers", reload=True
    )
    tls_key: str = _option("", "PEM file of the certificate's key, which must not be encrypted", reload=True)
    tls_ca: str = _option(
        "",
        "PEM file of the authorities whose certificates clients must show over https; empty asks for none",
        reload=True,
    )
    trusted_proxy: tuple[str, ...] = _option(
        (),
        "addresses and networks (10.0.0.0/8) of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; "
        "unix for all clients of Unix sockets",
        check=checks.network_or_unix,
    )
    http_engine: str = _option(
        "auto", "HTTP engine; auto is uvicorn, and over https hypercorn for clients that speak HTTP/2", ENGINES
    )
    allowed_origin: tuple[str, ...] = _option(
        (),
        "origins, such as https://console.example, whose pages may use the API; with *, pages of all origins may read",
        check=checks.origin,
    )
    allowed_host: tuple[str, ...] = _option(
        (),
        "host names, besides localhost, under which browsers may reach a listener on loopback",
        check=checks.host_name,
    )

    workers: int = _option(
        1, "processes that serve on the same addresses; more than one needs --storage postgres", least=1, most=256
    )

    storage: str = _option("sqlite", "kind of storage", ("sqlite", "postgres"))
    storage_opt: str = _option("file:wfx.db?_fk=1&_journal=WAL", "data source of the storage", mask=without_passwords)
    postgres_pooler: bool = _option(
        False, "whether a pooler of transactions, such as PgBouncer, is between this server and PostgreSQL"
    )
    postgres_listen_dsn: str = _option(
        "",
        "where notifications of PostgreSQL are heard if not by --storage-opt, such as its address behind the pooler",
        mask=without_passwords,
    )
    postgres_may_lose_commits: bool = _option(
        False, "whether PostgreSQL may have synchronous_commit off or local, and lose acknowledged changes"
    )
    postgres_search_connections: int = _option(
        2, "connections to PostgreSQL for searches, besides four for everything else", least=1, most=1000
    )
    postgres_search_timeout: Seconds = _option(Seconds(60), "how long PostgreSQL may work on a search", least=0.001)

    enable_encryption: bool = _option(
        False, "whether definitions, status reports, histories, events and tasks are encrypted where they are stored"
    )
    encrypt_sensitive_data: bool = _option(False, "the same as --enable-encryption")
    encryption_keys: str = _option(
        "",
        "keys of encrypted data, ID:BASE64 of 32 bytes each, commas between: the first encrypts, each decrypts",
        mask=mask_whole,
    )
    encryption_keys_file: str = _option("", "file with the keys instead, each in a line")

    log_level: str = _option("info", "least important records to log", tuple(LEVELS))
    log_format: str = _option(
        "auto",
        "form of log records; auto is pretty on a terminal, journald where the journal reads the output, else json",
        FORMATS,
    )
    log_sanitization: bool = _option(True, "whether secrets and personal data in log records are hidden")
    log_masking_char: str = _option(
        "*", "character that stands eight times for what is hidden, unless its kind is shown", check=checks.masking_char
    )
    log_show_type: bool = _option(True, "whether the kind of what is hidden is shown, such as [REDACTED:email]")
    log_custom_pattern: tuple[str, ...] = _option(
        (),
        "what else to hide: a name, =, and a regular expression in the syntax of RE2, such as serial=SN-[0-9]+; "
        "at most 32 of 512 characters",
        check=checks.log_pattern,
    )

    rules: str = _option("", "YAML file of rules, which are carried out on events; empty for none", reload=True)

    simple_fileserver: str = _option(
        "", "directory whose files are served under /download on both sides; empty for none", check=checks.directory
    )

    client_plugins_dir: str = _option("", "directory of plugins that see every southbound request; empty for none")
    mgmt_plugins_dir: str = _option("", "directory of plugins that see every northbound request; empty for none")
    plugin_timeout: Seconds = _option(Seconds(30), "how long a plugin may take to answer a request", least=_LEAST_TIME)

    max_header_size: int = _option(1_000_000, "bytes a request's first line and header may have")
    max_body_size: int = _option(10 * 1024 * 1024, "bytes a request body may have")
    max_connections: int = _option(
        10_000, "connections of each listener; fewer where the system does not allow that many open files", least=1
    )
    max_requests: int = _option(
        10_000, "requests each listener works on at once, event streams apart; others are answered with 503", least=1
    )
    keep_alive: bool = _option(True, "whether HTTP/1.1 connections stay open for further requests")
    read_timeout: Seconds = _option(
        Seconds(30), "how long a request may take to arrive; 0 for no limit", least=_LEAST_TIME, or_zero=True
    )
    write_timeout: Seconds = _option(
        Seconds(600), "how long a client may take to take an answer, event streams apart; 0 for no limit",
        least=_LEAST_TIME, or_zero=True,
    )  # fmt: skip
    cleanup_timeout: Seconds = _option(
        Seconds(10), "idle keep-alive connections are closed after this; 0 takes the read timeout",
        least=_LEAST_TIME, or_zero=True,
    )  # fmt: skip
    graceful_timeout: Seconds = _option(Seconds(15), "how long running requests may finish on shutdown")

    rate_limit_enabled: bool = _option(False, "whether the requests of each client address are limited in number")
    rate_limit_sides: tuple[str, ...] = _option(
        (Side.NORTH.value,),
        "sides whose requests are limited: north (operators), and south, if devices do not share addresses",
        SIDES,
    )
    ip_rate_limit: int = _option(
        100, "requests that an address (with IPv6 a network of 64 bits) may make in each window", least=1
    )
    ip_window_minutes: int = _option(1, "minutes of the window of --ip-rate-limit", least=1, most=_MINUTES_OF_A_YEAR)
    ip_burst_size: int = _option(
        0, "requests that an address may make beyond --ip-rate-limit, once, if it made fewer in windows before"
    )
    rate_limit_excluded_ips: tuple[str, ...] = _option(
        (), "addresses and networks (10.0.0.0/8) whose requests are not limited", check=checks.network
    )
    rate_limit_excluded_paths: tuple[str, ...] = _option(
        (), "paths that are not limited, with all below them; those of health and metrics never are", check=checks.path
    )

    sse_ping_interval: Seconds = _option(
        Seconds(30), "idle time before a keep-alive comment on event streams; 0 for none",
        least=_LEAST_TIME, or_zero=True,
    )  # fmt: skip
    sse_grace_interval: Seconds = _option(
        Seconds(60), "event subscribers that do not read are dropped after this", least=_LEAST_TIME
    )
    events_keep: int = _option(1_000_000, "events the log keeps at most")
    events_max_age: Seconds = _option(Seconds(7 * 86400), "age at which events leave the log")

    jobs_closed_max_age: tuple[str, ...] = _option(
        (),
        "age at which finished jobs are deleted, after their last change, such as 90d; also by group or state, such as "
        "FAILED=1y; 0 keeps them, and empty keeps all",
        check=max_ages.check_item,
    )
    tombstone_grace: Seconds = _option(
        Seconds(7 * 86400), "how long the device of a deleted job is told that the job has ended; 0 answers 404 at once"
    )

    filter_timeout: Seconds = _option(Seconds(1), "how long a response filter may run", least=_LEAST_TIME)
    filter_memory: int = _option(256 * 1024 * 1024, "bytes of memory a response filter may use", least=64 * 1024 * 1024)
    filter_output: int = _option(10 * 1024 * 1024, "bytes a response filter may produce", least=1)

    webhook_secret_file: str = _option(
        "", "file with the secrets that webhooks are signed with, one in a line: whsec_ and base64; empty signs none"
    )
    webhook_allowed_networks: tuple[str, ...] = _option(
        (),
        "addresses and networks (10.0.0.0/8) that webhooks may go to beside public addresses, for in-house receivers",
        check=checks.network,
    )
    smtp_host: str = _option("", "server that takes mails of rules; empty for none", check=checks.host_or_nothing)
    smtp_port: int = _option(587, "port of --smtp-host", least=1, most=_MOST_PORTS)
    smtp_tls: str = _option(
        "starttls", "how mails are encrypted: by STARTTLS, by TLS from the start, or not", ("starttls", "tls", "none")
    )
    smtp_user: str = _option("", "user to log in as; empty for no login")
    smtp_password_file: str = _option("", "file with the password of --smtp-user")
    smtp_from: str = _option("", "address that mails are from, such as wfx@example.com", check=checks.mail_address)

    metrics_path: str = _option("/metrics", "northbound path of the metrics; empty for none", check=checks.own_path)
    metrics_compat: bool = _option(False, "whether metrics are there under the names nflow_* and ifttt_*, too")
    liveness_path: str = _option(
        "/healthz", "northbound path that tells that the process answers; empty for none", check=checks.own_path
    )
    readiness_path: str = _option(
        "/readyz", "northbound path that tells whether the service can serve; empty for none", check=checks.own_path
    )
    debug_enabled: bool = _option(False, "whether the northbound side has /debug/info and other pages for analysis")
    debug_auth_token: str = _option("", "secret that requests for /debug must show", mask=mask_whole)
    debug_allowed_ips: tuple[str, ...] = _option(
        ("127.0.0.0/8", "::1", "unix"),
        "addresses and networks (10.0.0.0/8) that may see /debug, unix for Unix sockets; empty for all",
        check=checks.network_or_unix,
    )

    sandbox_rate_limit_instance_start: tuple[str, ...] = _option(
        (),
        "how many jobs may be created, such as 20/PT1M; client=20/PT1M for each client, workflow=20/PT1M for each "
        "workflow; empty for any number, as in the next three",
        check=policy.check_item,
    )
    sandbox_rate_limit_activity_start: tuple[str, ...] = _option(
        (), "how many reports of devices may move jobs into another state", check=policy.check_item
    )
    sandbox_rate_limit_job_schedule: tuple[str, ...] = _option(
        (), "how many tasks may be scheduled", check=policy.check_item
    )
    sandbox_rate_limit_job_execute: tuple[str, ...] = _option((), "how many tasks may be run", check=policy.check_item)
    sandbox_rate_limit_type: str = _option(
        "auto",
        "where these are counted: auto is in PostgreSQL, by all servers together, or in memory; bucket4j is in memory; "
        "redis also counts the requests of --rate-limit-enabled",
        ("auto", "memory", "bucket4j", "postgres", "redis"),
    )
    redis_host: str = _option(
        "", "Redis with --sandbox-rate-limit-type=redis, such as localhost:6379", check=checks.host_with_port_or_nothing
    )
    redis_password: str = _option("", "password of --redis-host", mask=mask_whole)
    redis_tls: bool = _option(False, "whether the connection to --redis-host is encrypted")
    redis_key_prefix: str = _option("wfx:", "what keys of buckets begin with in --redis-host")
    sandbox_expression_strict_mode: bool = _option(
        False, "whether expressions of rules may only call functions that strict mode allows", reload=True
    )
    enable_scripts: bool = _option(False, "whether operators may keep scripts, which run in a sandbox of their own")
    sandbox_script_disabled: bool = _option(False, "whether scripts are refused, whatever else is said", reload=True)
    vm_pool_max_memory_mb: int = _option(128, "MiB that the values of a script may take", least=1, most=1024)
    vm_pool_max_execution_seconds: Seconds = _option(Seconds(30), "time that a script may run", least=0.01, most=600)
    vm_pool_max_operations: int = _option(
        10_000_000, "jumps, branches and calls that a script may do, in steps of 10,000", least=1, most=10**15
    )
    vm_pool_max_size: int = _option(200, "scripts that run, or wait for a place, at once", least=1, most=10_000)
    vm_pool_preload_size: int = _option(100, "compiled scripts that are kept in memory", least=1, most=10_000)
    enable_static_analysis: bool = _option(
        True, "whether scripts are looked through for what they should not have", reload=True
    )
    block_on_high_severity: bool = _option(
        True, "whether scripts in which something severe is found are refused", reload=True
    )
    tracker_enabled: bool = _option(
        False, "whether it is kept what scripts of rules were run with and returned, so that runs can be replayed",
        reload=True,
    )  # fmt: skip
    enable_filesystem: bool = _option(False, "refused if true: scripts reach no files")
    enable_network: bool = _option(False, "refused if true: scripts reach no network")
    enable_process: bool = _option(False, "refused if true: scripts start no processes")

    sandbox_max_allowed_repetitions: int = _option(
        0, "how often a job may enter or report a state, and a rule act on what it has caused; 0 for any number"
    )
    sandbox_max_command_duration: Seconds = _option(
        Seconds(0), "time after which a change that has not begun is not made; 0 for none",
        least=_LEAST_TIME, or_zero=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the table."""

    name: str
    """As a flag, without the dashes in front."""
    kind: str
    """``str``, ``Host``, ``int``, ``bool``, ``Seconds`` or ``tuple[str, ...]``."""
    default: Any
    help: str
    choices: tuple[str, ...]
    """The allowed words; empty if others are allowed. Of a list, what its items may be."""
    least: float
    """The smallest number allowed; seconds for durations."""
    most: float | None
    """The largest number allowed, if there is one."""
    or_zero: bool
    """Whether 0 is allowed too, though it is less: it means something else."""
    check: Callable[[str], None] | None
    """Raises ValueError for a text, or an item of a list, that is wrong."""
    reload: bool
    """Whether a function given to :meth:`wfx.config.running_config.RunningConfig.on_reload` puts it into effect.

    Members of :class:`wfx.config.tunables.Tunables` do not need it.
    """
    mask: Callable[[str], str] | None
    """Hides what is secret in a value, for people's eyes; None if nothing is."""

    @property
    def member(self) -> str:
        """The member of :class:`Config`."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "WFX_" + self.member.upper()


OPTIONS = tuple(Option(f.name.replace("_", "-"), str(f.type), f.default, **f.metadata) for f in fields(Config))
BY_NAME = {option.name: option for option in OPTIONS}
