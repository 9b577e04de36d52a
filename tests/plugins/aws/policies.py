"""JSON documents that mean the same though they are written differently: IAM policies, and JSON at large."""

import json
from typing import Any

from properties import UNKNOWN, Properties, has_unknowns
from resources import InvalidInput

_LISTS = ("Action", "NotAction", "Resource", "NotResource")
_PRINCIPALS = ("Principal", "NotPrincipal")


def as_text(inputs: Properties, *names: str) -> Properties:
    """Return the inputs with documents given as objects written as JSON, as the official provider does."""
    written = {}
    for name in names:
        if isinstance(inputs.get(name), dict):
            written[name] = UNKNOWN if has_unknowns(inputs[name]) else json.dumps(inputs[name], separators=(",", ":"))
    return inputs | written


def valid_json(path: str, text: Any) -> None:
    """Refuse what isn't JSON."""
    if has_unknowns(text):
        return
    try:
        json.loads(text)
    except ValueError as error:
        raise InvalidInput(path, f'"{path}" contains an invalid JSON: {error}') from error


def valid_policy(path: str, text: Any) -> None:
    """Refuse what isn't the JSON object of a policy."""
    if has_unknowns(text):
        return
    if not text.lstrip().startswith("{"):
        raise InvalidInput(path, f'"{path}" contains an invalid JSON policy: not a JSON object')
    valid_json(path, text)


def same_json(text: Any) -> Any:
    """Return JSON so that documents that differ in spaces and order of keys are the same."""
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except (TypeError, ValueError):
        return text


def same_policy(text: Any) -> Any:
    """Return an IAM policy so that equivalent ones are the same: the order of statements and lists means nothing."""
    try:
        policy = json.loads(text)
        statements = [_statement(each) for each in _listed(policy.get("Statement", []))]
    except (TypeError, ValueError, AttributeError):
        return text
    policy["Statement"] = sorted(statements, key=lambda each: json.dumps(each, sort_keys=True))
    return json.dumps(policy, sort_keys=True)


def _statement(statement: dict[str, Any]) -> dict[str, Any]:
    same = dict(statement)
    for key in _LISTS:
        if key in same:
            same[key] = sorted(_listed(same[key]))
    for key in _PRINCIPALS:
        if same.get(key) == {"AWS": "*"}:
            same[key] = "*"
        if isinstance(same.get(key), dict):
            same[key] = {kind: sorted(_listed(names)) for kind, names in same[key].items()}
    if "Condition" in same:
        same["Condition"] = {
            operator: {key: sorted(map(str, _listed(values))) for key, values in tests.items()}
            for operator, tests in same["Condition"].items()
        }
    return same


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
