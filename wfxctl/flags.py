"""Options that many commands of wfxctl know."""

from __future__ import annotations

from wfx.commandline import client_tls
from wfx.commandline.options import ANY_FILE, Kind, Option

GLOBAL = (
    Option("client-host", Kind.HOST, "host of the client API", "localhost"),
    Option("client-port", Kind.INT, "port of the client API (plain HTTP)", 8080),
    Option("client-tls-host", Kind.HOST, "host of the client API with TLS", "localhost"),
    Option("client-tls-port", Kind.INT, "port of the client API with TLS", 8443),
    Option(
        "client-unix-socket", Kind.STRING, "connect through this unix socket of the client API", extensions=ANY_FILE
    ),
    Option("mgmt-host", Kind.HOST, "host of the management API", "localhost"),
    Option("mgmt-port", Kind.INT, "port of the management API (plain HTTP)", 8081),
    Option("mgmt-tls-host", Kind.HOST, "host of the management API with TLS", "localhost"),
    Option("mgmt-tls-port", Kind.INT, "port of the management API with TLS", 8444),
    Option(
        "mgmt-unix-socket", Kind.STRING, "connect through this unix socket of the management API", extensions=ANY_FILE
    ),
    Option("enable-tls", Kind.BOOL, "use https and the TLS hosts and ports"),
    *client_tls.OPTIONS,
    Option(
        "proxy",
        Kind.STRING,
        "HTTP proxy to reach the server through (http://proxy.example:3128); without it that of HTTP_PROXY, "
        "HTTPS_PROXY or ALL_PROXY, unless the server is on this machine or in NO_PROXY",
    ),
    Option(
        "config",
        Kind.STRINGS,
        "configuration files; later ones win, missing ones are skipped (default: wfx.yml, "
        "$XDG_CONFIG_HOME/wfx/config.yml, /etc/wfx/wfx.yml)",
        extensions=("yml", "yaml"),
    ),
    Option("filter", Kind.STRING, "jq expression to apply to the result"),
    Option("raw", Kind.BOOL, "with --filter: print strings without quotes"),
    Option(
        "log-level",
        Kind.STRING,
        "trace, debug, info, warn, error, fatal or panic",
        "info",
        suggestions=("trace", "debug", "info", "warn", "error", "fatal", "panic"),
    ),
)

COLOR = Option(
    "color",
    Kind.STRING,
    "use colours; auto means on a terminal, unless NO_COLOR is set",
    "auto",
    choices=("auto", "always", "never"),
)
OUTPUT = Option("output", Kind.STRING, "form of the output", "json", choices=("json", "table"))
OFFSET = Option("offset", Kind.INT, "how many items to leave out")
LIMIT = Option("limit", Kind.INT32, "how many items at most; 0 means all", 10)
SORT = Option("sort", Kind.STRING, "sort order", "asc", choices=("asc", "desc"))
JOB_ID = Option("id", Kind.STRING, "id of the job")
