"""Whole lists, maps and objects of `SecuredCloudRunService` that are outputs: looked at once they are known."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import pulumi

from sc_secure.components._google import label_problems
from sc_secure.components._problems import Problems
from sc_secure.components._wholes import once_known
from sc_secure.components.cloud_run.args import SecuredCloudRunServiceArgs
from sc_secure.components.cloud_run.limits import annotation_problems, check_command
from sc_secure.components.cloud_run.network import check_tags, check_vpc


def checked_wholes(component: str, given: SecuredCloudRunServiceArgs) -> Mapping[str, Any]:
    """The arguments, of which a whole that is an output fails where it turns out that it won't do.

    Args:
        component: whose arguments they are.
        given: the arguments, by their types.
    """
    checked: dict[str, Any] = {**given}
    if "labels" in given:
        checked["labels"] = once_known(component, given["labels"], label_problems)
    if "annotations" in given:
        checked["annotations"] = once_known(component, given["annotations"], annotation_problems)
    if "vpc" in given:
        checked["vpc"] = _vpc(component, given["vpc"])
    checked |= _command(component, given, "")
    if "sidecars" in given:
        sidecars = enumerate(given["sidecars"])
        checked["sidecars"] = [{**each, **_command(component, each, f"sidecars[{i}].")} for i, each in sidecars]
    return checked


def _command(component: str, container: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """What a container runs, and its variables."""

    def looked_at(key: str) -> Callable[[Any], Iterable[tuple[str, str]]]:
        # Beside it, the secrets alone matter, whose names are known.
        beside = {name: container[name] for name in ("secrets",) if name in container}
        return lambda known: _found(component, lambda problems: check_command(problems, prefix, {**beside, key: known}))

    keys = [key for key in ("command", "args", "environment") if key in container]
    return {key: once_known(component, container[key], looked_at(key)) for key in keys}


def _vpc(component: str, vpc: Any) -> Any:
    """The way out to a network; of one that is an output as a whole, each member is one by now, and may be None."""
    if isinstance(vpc.get("egress"), pulumi.Output):
        whole = pulumi.Output.all(**vpc).apply(_without_absent)
        return once_known(component, whole, lambda known: _found(component, lambda each: check_vpc(each, known)))
    if "tags" not in vpc:
        return vpc
    tags = once_known(component, vpc["tags"], lambda known: _found(component, lambda each: check_tags(each, known)))
    return {**vpc, "tags": tags}


def _without_absent(known: Any) -> dict[str, Any]:
    return {key: value for key, value in cast(dict[str, Any], known).items() if value is not None}


def _found(component: str, look: Callable[[Problems], None]) -> list[tuple[str, str]]:
    problems = Problems(component)
    look(problems)
    return problems.found
