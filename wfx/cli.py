"""The command ``wfx``: command-line options in, exit code out."""

from __future__ import annotations

import signal
from functools import partial

from wfx import rekey_command
from wfx.commandline import completion, durations, help, man_pages  # noqa: A004  # help is the command's name
from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.invocation import Invocation
from wfx.commandline.options import ANY_FILE, DIRECTORY, Kind, Option, Value
from wfx.commandline.program import Program
from wfx.config.max_ages import parse_age
from wfx.config.options import OPTIONS
from wfx.config.options import Option as Row
from wfx.config.secret_permissions import exposed_secrets
from wfx.serving import config_of, load, loaded_from, serve, serve_by_workers
from wfx.version import COMMIT, VERSION

_KINDS = {
    "str": Kind.STRING,
    "Host": Kind.HOST,
    "int": Kind.INT,
    "bool": Kind.BOOL,
    "Seconds": Kind.DURATION,
    "tuple[str, ...]": Kind.STRINGS,
}
_DIRECTORIES = ("simple-fileserver", "client-plugins-dir", "mgmt-plugins-dir")
"""Options whose values the shell completes to directories."""


def _flag(option: Row) -> Option:
    def check(value: Value) -> None:
        if isinstance(value, int | float):
            _check_number(option, value)
        if option.check is not None and isinstance(value, list | str):
            for item in [value] if isinstance(value, str) else value:
                option.check(item)

    default = list(option.default) if isinstance(option.default, tuple) else option.default
    extensions = DIRECTORY if option.name in _DIRECTORIES else ()
    return Option(
        option.name,
        Kind.SECONDS if option.name.endswith("-seconds") else _KINDS[option.kind],
        option.help,
        default,
        choices=option.choices,
        extensions=extensions,
        check=check,
    )


def _check_number(option: Row, value: float) -> None:
    if option.least <= value <= (option.most or value) or (option.or_zero and not value):
        return
    least = durations.show(option.least) if option.kind == "Seconds" else f"{option.least:g}"
    zero = "0, or " if option.or_zero else ""
    ceiling = f", at most {option.most:g}" if option.most else ""
    raise ValueError(f"must be {zero}at least {least}{ceiling}")


_FLAGS = tuple(map(_flag, OPTIONS))


def _check_age(text: str) -> None:
    if text:
        parse_age(text)


_CONFIG = Option(
    "config",
    Kind.STRINGS,
    "configuration files; later ones win, missing ones are skipped (default: wfx.yml, "
    "$XDG_CONFIG_HOME/wfx/config.yml, /etc/wfx/wfx.yml)",
    extensions=("yml", "yaml", "toml"),
)

_OUTPUT = Option("output", Kind.STRING, "form of the report", "text", choices=("text", "json"))
_POSTGRES_FLAGS = tuple(
    flag for flag in _FLAGS if flag.name in {"postgres-pooler", "postgres-listen-dsn", "postgres-may-lose-commits"}
)
_KEY_FLAGS = tuple(
    flag
    for flag in _FLAGS
    if flag.name in {"enable-encryption", "encrypt-sensitive-data", "encryption-keys", "encryption-keys-file"}
)
_PRUNE_FLAGS = (
    Option(
        "older-than", Kind.STRING, "age of jobs to delete, since their last change, such as 90d",
        check=lambda text: _check_age(str(text)),
    ),
    Option("group", Kind.STRINGS, "groups of the jobs to delete; all by default"),
    Option("state", Kind.STRINGS, "states of the jobs to delete; all by default"),
    Option("dry-run", Kind.BOOL, "count the jobs, and delete none"),
)  # fmt: skip
_STORE_FLAGS = (*(flag for flag in _FLAGS if flag.name in {"storage", "storage-opt"}), _CONFIG)

_TRIAL_FLAGS = (
    Option("side", Kind.STRING, "side that requests come in by", "south", choices=("north", "south")),
    Option("method", Kind.STRING, "method of the request that --path names", "GET"),
    Option("path", Kind.STRING, "path and query of one request; without it, samples are tried"),
    Option("header", Kind.STRING_ARRAY, 'header of that request, as "Name: value"'),
    Option("body", Kind.STRING, "body of that request"),
    Option(
        "requests", Kind.STRING, "file of requests, one JSON object a line; - is standard input", extensions=ANY_FILE
    ),
    Option(
        "expect",
        Kind.STRING,
        "what must become of each request",
        choices=("", "pass", "modify", "deny", "accept", "unavailable"),
    ),
    Option("plugin-timeout", Kind.DURATION, "how long a plugin may take for an answer", 30.0),
)


def _serve(call: Invocation) -> int:
    if call.arguments:
        raise UsageFailure(f'unknown command "{call.arguments[0]}" for "wfx"')
    signal.signal(signal.SIGHUP, lambda *_: None)  # while it starts; programs that it starts do not inherit this
    loaded = loaded_from(call.resolved)
    for warning in exposed_secrets(loaded.settings):
        call.log.write("warn", warning)
    if loaded.config.workers > 1:
        serve_by_workers(loaded, call.sources)
    else:
        serve(loaded, partial(load, call.sources))
    return 0


def _config(call: Invocation) -> None:
    if call.arguments:
        raise UsageFailure(f'wfx config takes no arguments, but was given "{call.arguments[0]}"')
    from wfx.config import report

    write = report.write_json if call.settings.text("output") == "json" else report.write_text
    write(call.resolved, call.out)
    for warning in exposed_secrets(call.settings):
        call.log.write("warn", warning)
    config_of(call.settings)


def _check(call: Invocation) -> int:
    from wfx import maintenance  # needs the store

    return maintenance.run_check(call)


def _backup(call: Invocation) -> int:
    from wfx import maintenance  # needs the store

    return maintenance.run_backup(call)


def _prune(call: Invocation) -> int:
    from wfx import pruning  # needs the store

    return pruning.run_prune(call)


def _export(call: Invocation) -> int:
    from wfx import transfer  # needs the store

    return transfer.run_export(call)


def _import(call: Invocation) -> int:
    from wfx import transfer  # needs the store

    return transfer.run_import(call)


def _plugin_test(call: Invocation) -> int:
    from wfx import plugin_trial  # needs what plugins need

    return plugin_trial.run_trial(call)


def _demo(_call: Invocation) -> int:
    from wfx.demo import scenario  # brings its own HTTP client

    return scenario.run()


ROOT = Command(
    "wfx",
    "Serve workflows and jobs to operators and devices",
    """
    wfx steers jobs on fleets of devices. It serves the northbound API for operators and the southbound API for devices,
    in the foreground, until it is interrupted.

    Every flag can also be set by a variable (WFX_ and its name in capitals, such as WFX_CLIENT_PORT) and, by its name,
    in a configuration file. Flags beat variables, variables beat files. The server reloads changed files, also on
    SIGHUP; "wfx config" shows the effective settings, and which of them need a restart.
    """,
    examples="""
    # with data in ./wfx.db, operators on port 8081, devices on port 8080
    wfx

    # somewhere else, and nothing to keep
    wfx --client-port 9080 --mgmt-port 9081 --storage-opt 'file:wfx?mode=memory'

    # for machines that read logs
    wfx --log-format json --log-level debug
    """,
    options=(*_FLAGS, _CONFIG),
    children=(
        *completion.commands("wfx"),
        Command(
            "demo",
            "Watch a simulated device take an update",
            run=_demo,
            configured=False,
            examples="""
        # on free ports, with nothing kept
        wfx demo

        # the device alone, against a service of yours
        python -m wfx.demo.device --client-id my-device
        """,
        ),
        Command(
            "config",
            "Show the settings and where they come from",
            """
        Shows the value of each option as the server would take it from flags, variables and files: what set it, with
        file and line, and whether a change takes effect while the server runs (reload) or needs a restart. Passwords
        are hidden. Exits with 1 if a value is wrong or options contradict each other; opens no certificate, plugin or
        socket.
        """,
            examples="""
        # as the server in this directory would be set up
        wfx config

        # a file that is not in use yet, for machines
        wfx config --config /etc/wfx/new.yml --output json
        """,
            options=(*_FLAGS, _CONFIG, _OUTPUT),
            run=_config,
        ),
        Command(
            "check",
            "Prove that the stored data is sound",
            """
        Reads the whole store, also while a server works on it, and reports what is not as it must be: damaged pages,
        gaps in the log, jobs that are not what their events say, and more. Changes nothing. Exits with 0 if the store
        is sound, else with 1. docs/operations.md says what each finding means.
        """,
            examples="""
        # the store of the server that runs here
        wfx check

        # another one, for machines
        wfx check --storage-opt /var/lib/wfx/wfx.db --output json
        """,
            options=(*_STORE_FLAGS, *_KEY_FLAGS, _OUTPUT),
            run=_check,
        ),
        Command(
            "backup",
            "Copy the stored data to a new file",
            """
        Writes a consistent copy of the store to FILE, also while a server works on it. FILE must not exist. Of
        SQLite it is a database; a server that starts on it gives its log a new identity, so that readers of the old
        log find out. Of PostgreSQL it is what "wfx export" writes, and "wfx import" fills an empty database from it.
        Encrypted values stay so: a file of SQLite has them as they are, and what is written of PostgreSQL is encrypted
        as a whole by the first of the keys, which have to be given.
        """,
            usage="FILE",
            examples="""
        # the store of the server that runs here
        wfx backup wfx-backup.db

        # another one
        wfx backup --storage-opt /var/lib/wfx/wfx.db /var/backups/wfx.db

        # PostgreSQL
        wfx backup --storage postgres --storage-opt postgres://db.example/wfx wfx-backup.jsonl
        """,
            options=(*_STORE_FLAGS, *_KEY_FLAGS),
            run=_backup,
            extensions=("db",),
        ),
        Command(
            "prune",
            "Delete finished jobs that are old",
            """
        Deletes jobs that are finished and have not been changed for as long as --older-than says: all of them, or those
        in some groups or states. A job is finished in the groups CLOSED and FAILED, and in a state that nothing leads
        on from unless that is in the group OPEN. Each deletion has its event on the log. On PostgreSQL servers may be
        at work meanwhile; a file of SQLite belongs to its server alone, which does the same by --jobs-closed-max-age.
        """,
            examples="""
        # how many would be deleted
        wfx prune --older-than 90d --dry-run

        # those that have failed, after a year
        wfx prune --older-than 1y --group FAILED
        """,
            options=(*_STORE_FLAGS, *_POSTGRES_FLAGS, *_KEY_FLAGS, *_PRUNE_FLAGS),
            run=_prune,
        ),
        Command(
            "export",
            "Write the stored data as lines of JSON",
            """
        Writes all workflows, jobs with their histories, events and consumers to FILE, one a line, also while a server
        works on the store; - is standard output. FILE must not exist. "wfx import" makes a store of it again, and
        proves that nothing is missing or changed. docs/operations.md describes the lines. With --enable-encryption
        each line is encrypted by the first key; with the keys alone, which encrypted stores need, all is plain.
        """,
            usage="FILE",
            examples="""
        # the store of the server that runs here
        wfx export wfx.jsonl

        # how many jobs each client has
        wfx export - | jq -r 'select(.kind == "job").clientId' | sort | uniq -c
        """,
            options=(*_STORE_FLAGS, *_KEY_FLAGS),
            run=_export,
            extensions=("jsonl",),
        ),
        Command(
            "import",
            "Make a store of exported data or of another store",
            """
        Makes a new store of SOURCE: what "wfx export" wrote (- is standard input), the database of another server, or
        one of the implementation that wfx is compatible with; PostgreSQL by its address, postgres://db.example/wfx, or
        a file that has it. The new store is a file, or an empty PostgreSQL database that no server works on. SOURCE
        stays as it is. An import that was interrupted goes on where it was when it is called again. The log of the
        new store has an identity of its own, so that readers of the old log find out.
        """,
            usage="SOURCE",
            examples="""
        # into ./wfx.db, which must not exist
        wfx import wfx.jsonl

        # from another database
        wfx import --storage-opt /var/lib/wfx/wfx.db old.db

        # from a file into PostgreSQL
        wfx import --storage postgres --storage-opt postgres://db.example/wfx wfx.db
        """,
            options=(*_STORE_FLAGS, *_KEY_FLAGS),
            run=_import,
            extensions=("jsonl", "db"),
        ),
        rekey_command.command((*_STORE_FLAGS, *_KEY_FLAGS)),
        Command(
            "plugin",
            "Try plugins",
            children=(
                Command(
                    "test",
                    "Show what plugins decide, without a server",
                    """
        Starts the plugins of DIR as the server would, asks them about samples of what a side gets, or about the
        requests that are given, and shows what each decides. Plugins in DIR/observe are told of the answers. Exits
        with 0 if each started and decided, without an error, and as expected where something is; else with 1.

        A file of requests has one JSON object a line: "method", "path" (the only one that must be there), "headers",
        "body" (text, or any JSON), "side", "peer", "certificate" ({"subject", "sha256", "names"}) and "expect".
        """,
                    usage="DIR",
                    examples="""
        # what they make of the usual requests of devices
        wfx plugin test /etc/wfx/plugins/south

        # one request, which must be denied
        wfx plugin test guards --side north --method DELETE --path /api/wfx/v1/jobs/7 --expect deny

        # many, for machines
        wfx plugin test guards --requests requests.ndjson --output json
        """,
                    options=(*_TRIAL_FLAGS, _OUTPUT),
                    run=_plugin_test,
                    configured=False,
                    extensions=DIRECTORY,
                ),
            ),
        ),
        help.command("wfx", "demo"),
        man_pages.command("wfx"),
    ),
    run=_serve,
    version=lambda: f"wfx version {VERSION} (commit {COMMIT})\n\nbuild tags: sqlite,plugin\n",
)
PROGRAM = Program(ROOT, strict=True)
main = PROGRAM.main
