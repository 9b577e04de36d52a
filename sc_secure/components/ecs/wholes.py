"""Whole lists and maps of `SecuredEcsService` that are outputs: looked at once they are known."""

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import pulumi
from pulumi.output import Unknown

from sc_secure.components._validate import InvalidArgs
from sc_secure.components._wholes import names_of, once_known
from sc_secure.components.ecs.args import SecuredEcsServiceArgs
from sc_secure.components.ecs.container_limits import doubled_problems, environment_problems, secret_problems
from sc_secure.components.ecs.limits import WHOLES


def checked_wholes(component: str, given: SecuredEcsServiceArgs) -> SecuredEcsServiceArgs:
    """The arguments, of which a whole that is an output fails where it turns out that it won't do.

    Args:
        component: whose arguments they are.
        given: the arguments, by their types.
    """
    checked: dict[str, Any] = {**given}
    checked |= {key: once_known(component, checked[key], check) for key, check in WHOLES.items() if key in given}
    checked |= _variables(component, given, "")
    if "sidecars" in given:
        sidecars = enumerate(given["sidecars"])
        checked["sidecars"] = [{**each, **_variables(component, each, f"sidecars[{i}].")} for i, each in sidecars]
    return cast(SecuredEcsServiceArgs, checked)


def _variables(component: str, container: Mapping[str, Any], path: str) -> dict[str, Any]:
    """A container's variables."""
    sections = {key: container[key] for key in ("environment", "secrets") if key in container}
    if not any(isinstance(each, pulumi.Output) for each in sections.values()):
        return {}
    environment, secrets = sections.get("environment", {}), sections.get("secrets", {})
    checked = {
        "environment": once_known(component, environment, partial(environment_problems, path)),
        "secrets": once_known(component, secrets, partial(secret_problems, path)),
    }

    def single(got: list[Any]) -> Any:
        variables, other, pairs = got[0], got[1], None
        if not isinstance(variables, Unknown) and not isinstance(other, Unknown):
            pairs = list(doubled_problems(path, variables, other))
        if pairs:
            raise InvalidArgs(component, pairs)
        return variables

    # Names are no secrets: neither becomes as secret as the other, and one that is known stays known.
    for key, other in (("environment", secrets), ("secrets", environment)):
        if isinstance(checked[key], pulumi.Output):
            both = pulumi.Output.all(checked[key], names_of(other))
            checked[key] = both.apply(single, run_with_unknowns=True)
    return {key: checked[key] for key in sections}
