"""Container definitions: read from JSON as ECS knows them, and such that equivalent ones are the same.

As terraform-provider-aws does it (internal/service/ecs/container_definitions.go): order of containers, environment and
secrets means nothing, what has a default is the same as that default, an empty list the same as none.
"""

import json
from typing import Any

import botocore.session
from properties import has_unknowns
from resources import InvalidInput

_HEALTH = {"interval": 30, "retries": 3, "timeout": 5}


def valid(path: str, text: Any) -> None:
    """Refuse what isn't a JSON list of container definitions as ECS's API has them."""
    if has_unknowns(text):
        return
    try:
        containers = json.loads(text)
    except ValueError as error:
        raise InvalidInput(path, f"ECS Task Definition container_definitions is invalid: {error}") from error
    if not isinstance(containers, list):
        reason = "ECS Task Definition container_definitions is invalid: it must be a list of container definitions"
        raise InvalidInput(path, reason)
    for index, container in enumerate(containers):
        if not isinstance(container, dict) or not container:
            reason = f"invalid container definition supplied at index ({index})"
            raise InvalidInput(path, f"ECS Task Definition container_definitions is invalid: {reason}")
        for name, reason in _misfits(container):
            message = f"ECS Task Definition container_definitions is invalid: [{index}].{name} {reason}"
            raise InvalidInput(path, message)


def _misfits(container: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what botocore's model of ECS doesn't know: a misspelt key would silently be left out."""
    model = botocore.session.get_session().get_service_model("ecs").shape_for("ContainerDefinition")
    return list(_unknown(model, container, ""))


def _unknown(shape: Any, value: Any, path: str) -> Any:
    kinds = {"structure": dict, "map": dict, "list": list, "string": str, "boolean": bool}
    kinds |= {"integer": int, "long": int, "double": (int, float), "float": (int, float)}
    if value is None:
        return
    if not isinstance(value, kinds.get(shape.type_name, object)):
        yield path, f"must be of type {shape.type_name}"
    elif shape.type_name == "structure":
        for key, item in value.items():
            below = f"{path}.{key}" if path else key
            if key not in shape.members:
                yield below, "isn't known to ECS"
            else:
                yield from _unknown(shape.members[key], item, below)
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from _unknown(shape.member, item, f"{path}[{index}]")


def read(text: str) -> list[dict[str, Any]]:
    """Return the definitions for a request, without nulls."""
    return [_without_nulls(container) for container in json.loads(text)]


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def same(text: Any, *, awsvpc: bool) -> Any:
    """Return JSON that is the same for equivalent definitions."""
    if has_unknowns(text):
        return text
    containers = [_reduced(container, awsvpc=awsvpc) for container in read(text)]
    return json.dumps(sorted(containers, key=lambda each: each.get("name", "")), sort_keys=True)


def _reduced(container: dict[str, Any], *, awsvpc: bool) -> dict[str, Any]:
    reduced = {key: value for key, value in container.items() if value != []}
    reduced.setdefault("essential", True)
    reduced.setdefault("cpu", 0)  # what ECS itself says of a container that gives none
    for key in ("environment", "secrets"):
        if key in reduced:
            reduced[key] = sorted(reduced[key], key=lambda each: each.get("name", ""))
    if "healthCheck" in reduced:
        reduced["healthCheck"] = _HEALTH | reduced["healthCheck"]
    if "portMappings" in reduced:
        reduced["portMappings"] = [_port(mapping, awsvpc=awsvpc) for mapping in reduced["portMappings"]]
    return reduced


def _port(mapping: dict[str, Any], *, awsvpc: bool) -> dict[str, Any]:
    port = {"protocol": "tcp"} | mapping
    if not port.get("hostPort"):
        port.pop("hostPort", None)
        if awsvpc:
            port["hostPort"] = port.get("containerPort")
    return port
