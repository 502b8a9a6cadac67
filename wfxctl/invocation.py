"""One call of a command: what was asked for, and all of the world that the command may touch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wfx.commandline import durations, input_files
from wfx.commandline.client_tls import ClientTls
from wfx.commandline.failures import EXIT_FAILED, Failure, UsageFailure
from wfx.commandline.invocation import Invocation
from wfx.commandline.terminal import neutralise
from wfxctl import gojson
from wfxctl.documents import Document, items, text
from wfxctl.targets import BASE_PATH, Side, target

if TYPE_CHECKING:  # the HTTP library is imported when the first connection is made
    from wfxctl.client import Api

Query = Sequence[tuple[str, str]]


class ClientInvocation(Invocation):
    """A call of wfxctl: beside settings and streams, the ways to ask a server and to show its answer."""

    @cached_property
    def _headers(self) -> Sequence[tuple[str, str]]:
        """What goes with every request; read once, since a token may come through a pipe."""
        from wfxctl import credentials

        return credentials.headers(self.settings, self.environment, self.resolved.preset)

    @property
    def reading_side(self) -> Side:
        """The API that is read."""
        return Side.NORTH if self.settings.text("read-from") == "north" else Side.SOUTH

    def api(self, side: Side, *, tls: bool | None = None, base: str = BASE_PATH) -> Api:
        """Return an API of the configured server, over TLS if so configured or asked for."""
        from wfxctl import context_options
        from wfxctl.client import Api  # slow to import, and many commands need no server

        preset = self.resolved.preset
        context_options.require_named(preset, self.settings, side)
        address = context_options.address_of(preset, side)
        configured = context_options.is_secured(self.settings, address)
        secured = configured if tls is None else tls
        prefix = address.prefix if address else ""
        found = target(self.settings, self.environment, side, tls=secured, base=prefix + base)
        # A token that is meant for TLS must not go without it, where a command asks the addresses of both.
        headers = self._headers if secured == configured else ()
        sending = self._show_request if self.settings.flag("verbose") else None
        return Api(found, ClientTls.of(self.settings), headers, sending)

    def _show_request(self, command: str) -> None:
        self.err.line(command)

    def fetch(
        self, side: Side, method: str, path: str, query: Query = (), body: bytes | Iterable[bytes] | None = None
    ) -> str:
        """Return the body of a successful answer; see :meth:`wfxctl.client.Api.fetch`."""
        return self.api(side).fetch(method, path, query, body)

    def fetch_and_show(
        self, side: Side, method: str, path: str, query: Query = (), body: bytes | Iterable[bytes] | None = None
    ) -> None:
        """Fetch and show."""
        self.show(self.fetch(side, method, path, query, body))

    def show(self, body: str) -> None:
        """Print a JSON document, filtered as the options say; an empty body prints nothing."""
        if body:
            self.show_value(decoded(body))

    def show_value(self, value: Any) -> None:
        """Print a decoded JSON document, filtered as the options say."""
        raw = self.settings.flag("raw") and self.settings.text("filter")
        for result in self.filtered(value):
            if not raw:
                self.out.json(gojson.encode_indented(result))
            elif isinstance(result, str):
                self.out.line(result)
            else:
                raise Failure(f"--raw needs strings, but the filter produced {gojson.encode(result)[:64]}")

    def filtered(self, value: Any) -> Iterable[Any]:
        """Return what the option ``filter`` makes of a document. Raises Failure while it is read."""
        expression = self.settings.text("filter")
        if not expression:
            return [value]
        from wfxctl import jq_filter  # only filters need it

        return jq_filter.apply(expression, value)

    def report_loss(self, cause: str, seconds: float) -> None:
        """Say that the connection was lost, and when it is tried again."""
        self.err.write(f"connection lost ({neutralise(cause)}), trying again in {durations.show(seconds)}\n")

    def required(self, option: str, what: str) -> str:
        """Return a string option. Raises UsageFailure when it is empty."""
        value = self.settings.text(option)
        if not value:
            raise UsageFailure(f"{what} missing")
        return value

    def subject(self, option: str, what: str) -> str:
        """Return what the command is about: from its flag, or else from its argument. Raises UsageFailure.

        Beside the flag, arguments are ignored with a warning, as scripts for the reference need it. An argument, which
        was typed, takes precedence over a variable or file.
        """
        found = self._flagged(option, what) or self.argument(what, self.settings.text(option))
        self._tell_passed_over(option, what, [found])
        return found

    def subjects(self, option: str, what: str) -> list[str]:
        """Return all that the command is about: what its flag names, or else its arguments. Raises UsageFailure."""
        found = self._flagged(option, what)
        names = [found] if found else self.arguments or [self.settings.text(option)]
        if not all(names):
            raise UsageFailure(f"{what} missing")
        self._tell_passed_over(option, what, names)
        return names

    def argument(self, what: str, otherwise: str = "") -> str:
        """Return the one argument, or something else where there is none. Raises UsageFailure for several, or none."""
        if len(self.arguments) > 1:
            raise UsageFailure(
                f"one {what} is taken at a time, but {len(self.arguments)} arguments were given: give the command once "
                "for each"
            )
        value = self.arguments[0] if self.arguments else otherwise
        if not value:
            raise UsageFailure(f"{what} missing")
        return value

    def _flagged(self, option: str, what: str) -> str:
        """Return what the flag says, if it is given. Raises UsageFailure for an empty one."""
        if not self.settings.is_flag(option):
            return ""
        value = self.required(option, what)
        if self.arguments and self.settings.flag("strict"):
            raise UsageFailure(f"{what} is given twice: by --{option} and as an argument")
        if self.arguments:
            told = f"{what} is that of --{option}; what else was given is passed over: {', '.join(self.arguments)}"
            self.log.write("warn", told)
        return value

    def _tell_passed_over(self, option: str, what: str, names: list[str]) -> None:
        """Say that arguments were taken although a variable or file says something else, if it does."""
        other = self.settings.text(option)
        if other and names != [other]:
            told = f"{what} is the argument, {', '.join(names)}; {self.settings.origin(option)} says {other}"
            self.log.write("warn", f"{told}, and is passed over")

    def pass_over_arguments(self, hint: str) -> None:
        """Say that arguments choose nothing here, as scripts of the reference have it, and what does."""
        if self.arguments:
            self.log.write("warn", f"arguments are passed over ({hint}): {', '.join(self.arguments)}")

    def read(self, name: str) -> bytes:
        """Return the content of a file. Raises Failure."""
        try:
            with Path(name).open("rb") as file:
                return input_files.read_bounded(file)
        except OSError as exc:
            raise Failure(f"cannot read {name}: {exc.strerror}") from exc

    def read_standard_input(self) -> bytes:
        """Return all of standard input. Raises Failure."""
        try:
            return input_files.read_bounded(self.stdin)
        except OSError as exc:
            raise Failure(f"cannot read standard input: {exc.strerror}") from exc


def decoded(body: str) -> Any:
    """Decode an answer. Raises Failure when it is no JSON."""
    try:
        return gojson.decode(body)
    except ValueError as exc:
        raise Failure(f"the answer is not JSON: {exc}") from exc


def encoded(value: Any) -> bytes:
    """Encode the body of a request. Raises UsageFailure for what was given and is no UTF-8."""
    try:
        return gojson.encode(value).encode()
    except UnicodeEncodeError as exc:
        raise UsageFailure("an argument is not UTF-8") from exc


def is_unicode(text: str) -> bool:
    """Tell whether a text from the command line or the environment was UTF-8."""
    return not any("\ud800" <= each <= "\udfff" for each in text)


def segment(name: str) -> str:
    """Encode one segment of a path; a slash in it stays part of the segment, and dots alone do not shorten the path."""
    if name in {".", ".."}:
        return "%2E" * len(name)
    return quote(name.encode("utf-8", "surrogateescape"), safe="$&+=:@")


def job_path(job_id: str, code: int = EXIT_FAILED) -> str:
    """Return the path of a job. Raises Failure, with this exit code, for the id that is the event stream's."""
    if job_id == "events":
        raise Failure('no job has the id "events": that is the name of the event stream, see wfxctl job events', code)
    return "/jobs/" + segment(job_id)


def error_lines(body: str) -> str:
    """Return one line for each error of the API's error object; nothing for any other body."""
    try:
        document = gojson.decode(body)
    except ValueError:
        return ""
    return "".join(_error_line(error) for error in items(document, "errors") if isinstance(error, dict))


def _error_line(error: Document) -> str:
    message, code, logref = (neutralise(text(error, key)) for key in ("message", "code", "logref"))
    return f"ERROR: {message} (code={code}, logref={logref})\n"
