"""Functions on users and groups of the directory, and on scores."""

from __future__ import annotations

from wfx.expressions.functions import Function, Parameter
from wfx.expressions.scope import Scope
from wfx.expressions.values import Value, ValueKind, finite

_USER = Parameter("userId", ValueKind.TEXT)
_GROUPS = Parameter("groupKeys")


def _names(groups: Value) -> list[str]:
    found = [groups] if type(groups) is str else groups
    if type(found) is not list or any(type(name) is not str for name in found):
        raise ValueError("groupKeys are a text, or a list of texts")
    return found


def _in_any(scope: Scope, user_id: str, groups: Value) -> bool:
    user = scope.facts.user(user_id)
    wanted = _names(groups)
    return user is not None and any(name in user.groups for name in wanted)


def _in_none(scope: Scope, user_id: str, groups: Value) -> bool:
    return not _in_any(scope, user_id, groups)


def _find(scope: Scope, user_id: str) -> Value:
    user = scope.facts.user(user_id)
    return None if user is None else {"id": user.user_id, "email": user.email, "groups": [*user.groups]}


def _emails(scope: Scope, groups: Value) -> list[str]:
    return [user.email for user in scope.facts.members(_names(groups)) if user.email]


def _user_ids(scope: Scope, groups: Value) -> list[str]:
    return [user.user_id for user in scope.facts.members(_names(groups))]


def _score(scope: Scope, actor_id: str) -> int | float:
    return finite(scope.facts.score(actor_id))


FUNCTIONS = (
    Function(
        "isUserInAnyGroup", (_USER, _GROUPS), _in_any, ValueKind.BOOLEAN, "Whether a user is in any of the groups.",
        'isUserInAnyGroup("dana", ["night", "lab"])', True, takes_scope=True,
    ),
    Function(
        "isUserInNoGroups", (_USER, _GROUPS), _in_none, ValueKind.BOOLEAN, "Whether a user is in none of the groups.",
        'isUserInNoGroups("dana", ["night", "lab"])', False, takes_scope=True,
    ),
    Function(
        "findUser", (_USER,), _find, ValueKind.ANY, "A user with id, email and groups, or null.",
        'findUser("dana")', {"id": "dana", "email": "dana@example.com", "groups": ["night"]}, takes_scope=True,
    ),
    Function(
        "findGroupMemberEmails", (_GROUPS,), _emails, ValueKind.LIST, "The addresses of all users in the groups.",
        'findGroupMemberEmails("night")', ["dana@example.com"], takes_scope=True,
    ),
    Function(
        "findGroupMemberUserIds", (_GROUPS,), _user_ids, ValueKind.LIST, "The ids of all users in the groups.",
        'findGroupMemberUserIds("night")', ["dana"], takes_scope=True,
    ),
    Function(
        "score", (Parameter("actorId", ValueKind.TEXT),), _score, ValueKind.NUMBER,
        "The points of an actor, 0 if it has none.", "score(event.actor_id)", 120, takes_scope=True,
    ),
)  # fmt: skip
"""The table."""
