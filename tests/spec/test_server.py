from __future__ import annotations

from contract_tables import OPERATIONS

from wfx.api import errors, plain_errors, problems, spec
from wfx.api.routes import BASE, service_routes


def test_the_route_table_agrees_with_the_document() -> None:
    """The server routes each operation as described, offers it on the same sides and filters the same answers."""
    routed = {
        (r.operation, r.method, r.path.removeprefix(BASE), frozenset(map(str, r.sides)), r.filtered)
        for r in service_routes()
        if r.operation and r.path.startswith(BASE)
    }
    assert routed == set(OPERATIONS)
    assert spec.document()["servers"][0]["url"] == BASE
    assert spec.document(spec.FLEET)["servers"][0]["url"] == problems.PREFIX
    assert spec.document(spec.RULES)["servers"][0]["url"] == plain_errors.PREFIX


def test_the_server_sends_the_errors_that_are_listed() -> None:
    """Whatever error the server answers with, its code and reference are in a document."""
    schemas = [spec.document(name)["components"]["schemas"]["Error"] for name in (spec.CONTRACT, spec.FLEET)]
    listed = {row["code"]: row["logref"] for schema in schemas for row in schema["x-wfx-errors"]}
    sent = {answer.code: answer.logref for _, answer in errors._ANSWERS}
    assert sent.items() <= listed.items()
