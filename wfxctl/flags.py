"""Options that many commands of wfxctl know."""

from __future__ import annotations

from dataclasses import replace

from wfx.commandline import client_tls
from wfx.commandline.options import ANY_FILE, Kind, Option

CONTEXT = Option(
    "context",
    Kind.STRING,
    "connect as this context says, none for no context (default: the current one, see wfxctl context)",
    names="context",
)
STRICT = Option("strict", Kind.BOOL, "exit with 2 when the command line is wrong, and take surplus arguments for wrong")
GLOBAL = (
    CONTEXT,
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
        "token-file",
        Kind.STRING,
        "file with the bearer token to send with every request; WFX_TOKEN is the token itself",
        extensions=ANY_FILE,
    ),
    Option("header", Kind.STRING_ARRAY, '"Name: value" to send with every request; may be repeated'),
    Option(
        "read-from",
        Kind.STRING,
        "the API that is read: south is the client API, north the management API",
        "south",
        choices=("south", "north"),
    ),
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
    STRICT,
    Option("verbose", Kind.BOOL, "show each request as a command line of curl, with secrets masked"),
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
FORMS = ("json", "yaml", "csv", "name", "wide", "table")
OUTPUT = Option("output", Kind.STRING, "form of the output", "json", choices=FORMS, short="o")
OUTPUT_TABLE = replace(OUTPUT, default="table")
OUTPUT_NAME = replace(OUTPUT, default="name")
COLUMNS = Option(
    "columns", Kind.STRINGS, "the columns of a table or of CSV, such as id,state; wide has all that there are"
)
SORT_BY = Option("sort-by", Kind.STRING, "put what is shown in the order of this column, of -COLUMN backwards")
LOOK = (OUTPUT, COLUMNS, SORT_BY, COLOR)
"""How jobs and workflows are shown."""
LOOK_TABLE = (OUTPUT_TABLE, COLUMNS, SORT_BY, COLOR)
"""The same, where a table is the default."""
OFFSET = Option("offset", Kind.INT, "how many items to leave out")
LIMIT = Option("limit", Kind.INT32, "how many items at most; 0 means all", 10)
SORT = Option("sort", Kind.STRING, "sort order", "asc", choices=("asc", "desc"))
JOB_ID = Option("id", Kind.STRING, "id of the job")
