"""Checks of options against each other, at start and at each reload, before anything takes effect.

Who adds options that need each other adds a function to :data:`CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from itertools import combinations

from wfx.commandline.options import DEFAULT, Settings
from wfx.config.max_ages import MaxAges
from wfx.config.options import Config
from wfx.config.secret_files import read_encryption_keys, read_password, read_webhook_keys
from wfx.limits.policy import Kind, parse_bands
from wfx.logs.secret_names import tells_secret

_MOST_LOG_PATTERNS = 32


class OptionRefused(ValueError):
    """An option cannot be honoured as it is."""

    def __init__(self, option: str, reason: str) -> None:
        """Name the option, as a flag without dashes in front, and say what is wrong with it.

        What follows the name of a secret and a colon is hidden in logs: the reason must not.
        """
        super().__init__(f"{option} cannot be used: {reason}" if tells_secret(option) else f"{option}: {reason}")
        self.option = option


def with_origin(refused: OptionRefused, settings: Settings) -> str:
    """Say what is wrong, and where the option was given."""
    origin = settings.origin(refused.option)
    return f"{refused} ({origin})" if origin != DEFAULT else str(refused)


def check(config: Config) -> None:
    """Check the options that make sense only together. Raises OptionRefused for the first that does not."""
    for each in CHECKS:
        each(config)


def _addresses_differ(config: Config) -> None:
    http = (config.client_host, config.client_port), (config.mgmt_host, config.mgmt_port)
    https = (config.client_tls_host, config.client_tls_port), (config.mgmt_tls_host, config.mgmt_tls_port)
    unix = (config.client_unix_socket,), (config.mgmt_unix_socket,)
    for scheme, option, (south, north), used in (
        ("http", "mgmt-port", http, "the port of the southbound API on the same host"),
        ("https", "mgmt-tls-port", https, "the port of the southbound API on the same host"),
        ("unix", "mgmt-unix-socket", unix, "the socket of the southbound API"),
    ):
        if scheme in config.scheme and south == north and north[-1]:  # port 0 takes a free one
            raise OptionRefused(option, f"{north[-1]} is {used}")


def _listens(config: Config) -> None:
    if not config.scheme:
        raise OptionRefused("scheme", "names nothing to listen on")


def _https_has_files(config: Config) -> None:
    for option, path in (("tls-certificate", config.tls_certificate), ("tls-key", config.tls_key)):
        if "https" in config.scheme and not path:
            raise OptionRefused(option, "the scheme https needs a file in PEM format")


def _ages_of_jobs_agree(config: Config) -> None:
    try:
        MaxAges.parse(config.jobs_closed_max_age)
    except ValueError as exc:
        raise OptionRefused("jobs-closed-max-age", str(exc)) from exc


def _limits_agree(config: Config) -> None:
    for kind in Kind:
        option = f"sandbox-rate-limit-{kind}"
        try:
            parse_bands(getattr(config, option.replace("-", "_")))
        except ValueError as exc:
            raise OptionRefused(option, str(exc)) from exc


def _scripts_are_confined(config: Config) -> None:
    for option, wanted, what in (
        ("enable-filesystem", config.enable_filesystem, "files"),
        ("enable-network", config.enable_network, "network"),
        ("enable-process", config.enable_process, "processes"),
    ):
        if wanted:
            raise OptionRefused(option, f"scripts reach no {what}: they get facts as input, and rules act on results")


def _buckets_have_a_store(config: Config) -> None:
    kind, option = config.sandbox_rate_limit_type, "sandbox-rate-limit-type"
    if kind == "postgres" and config.storage != "postgres":
        raise OptionRefused(option, "postgres needs --storage postgres")
    if kind == "redis" and not config.redis_host:
        raise OptionRefused("redis-host", f"{option} redis needs a server here, such as localhost:6379")
    if config.redis_host and find_spec("redis") is None:
        raise OptionRefused("redis-host", "needs the package redis: install wfx with its extra redis")


def _few_log_patterns(config: Config) -> None:
    if len(config.log_custom_pattern) > _MOST_LOG_PATTERNS:
        raise OptionRefused("log-custom-pattern", f"there may be at most {_MOST_LOG_PATTERNS} patterns")


def _small_log_patterns(config: Config) -> None:
    if not config.log_custom_pattern:
        return
    from wfx.logs.custom_patterns import read_patterns  # with RE2, which few need

    try:
        read_patterns(config.log_custom_pattern)
    except ValueError as exc:
        raise OptionRefused("log-custom-pattern", str(exc)) from exc


def _monitoring_paths_differ(config: Config) -> None:
    paths = {
        "metrics-path": config.metrics_path,
        "liveness-path": config.liveness_path,
        "readiness-path": config.readiness_path,
    }
    for (first, one), (second, other) in combinations(((name, path) for name, path in paths.items() if path), 2):
        if one == other:
            raise OptionRefused(second, f"{other} is the value of {first}, too")
        if other.startswith(f"{one}/"):
            raise OptionRefused(second, f"{other} is below {one}, the value of {first}")
        if one.startswith(f"{other}/"):
            raise OptionRefused(first, f"{one} is below {other}, the value of {second}")


def _rate_limit_has_sides(config: Config) -> None:
    if config.rate_limit_enabled and not config.rate_limit_sides:
        raise OptionRefused("rate-limit-sides", "names no side, and rate-limit-enabled limits requests: give one")


def _workers_share_a_database(config: Config) -> None:
    if config.workers > 1 and config.storage == "sqlite":
        raise OptionRefused(
            "workers",
            f"{config.workers} processes cannot share an SQLite file, which one process has for itself: "
            "leave it at 1, or use --storage postgres",
        )


def _debug_has_a_token(config: Config) -> None:
    if config.debug_enabled and not config.debug_auth_token:
        raise OptionRefused("debug-auth-token", "debug-enabled needs a secret here that requests have to show")
    if config.debug_enabled and config.debug_auth_token != config.debug_auth_token.strip():
        raise OptionRefused("debug-auth-token", "blanks at the beginning or the end cannot be sent in a header field")


def _webhooks_have_keys(config: Config) -> None:
    try:
        read_webhook_keys(config.webhook_secret_file)
    except ValueError as exc:
        raise OptionRefused("webhook-secret-file", str(exc)) from exc


def _mails_have_a_sender(config: Config) -> None:
    if config.smtp_host and not config.smtp_from:
        raise OptionRefused("smtp-from", "smtp-host needs an address here that mails are from")
    if config.smtp_password_file and not config.smtp_user:
        raise OptionRefused("smtp-user", "smtp-password-file needs a user here whose password that is")
    try:
        read_password(config.smtp_password_file)
    except ValueError as exc:
        raise OptionRefused("smtp-password-file", str(exc)) from exc


def _encryption_has_keys(config: Config) -> None:
    option = "encryption-keys-file" if config.encryption_keys_file else "encryption-keys"
    try:
        ring = read_encryption_keys(config.encryption_keys, config.encryption_keys_file)
    except ValueError as exc:
        raise OptionRefused(option, str(exc)) from exc
    if ring is None and (config.enable_encryption or config.encrypt_sensitive_data):
        raise OptionRefused(option, "enable-encryption needs a key here, ID:BASE64 of 32 bytes")


CHECKS: tuple[Callable[[Config], None], ...] = (
    _addresses_differ,
    _listens,
    _https_has_files,
    _scripts_are_confined,
    _few_log_patterns,
    _small_log_patterns,
    _monitoring_paths_differ,
    _rate_limit_has_sides,
    _debug_has_a_token,
    _workers_share_a_database,
    _ages_of_jobs_agree,
    _webhooks_have_keys,
    _mails_have_a_sender,
    _limits_agree,
    _buckets_have_a_store,
    _encryption_has_keys,
)
