"""Whole maps and lists that are outputs: nobody can look into one while the program runs.

`validated` makes each an output that fails by the path of a member of the wrong type. What its component knows besides
of what it may hold is looked at here, once its value is known: before a resource that uses it is declared to the
engine, and in a preview too, unless that doesn't know the value yet.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

import pulumi

from sc_secure.components._memory import HIDDEN, Later
from sc_secure.components._validate import InvalidArgs

MAPS = ("environment", "secrets", "tags", "labels", "annotations")
"""The services' arguments that are maps, and may be an output as a whole."""

T = TypeVar("T")
U = TypeVar("U")


def now(value: Any, otherwise: T) -> T:
    """The value as far as it can be looked into while the program runs.

    Args:
        value: an argument that may be an output as a whole, or None where it isn't given.
        otherwise: what stands for an output, and for nothing.
    """
    return otherwise if value is None or isinstance(value, pulumi.Output) else value


def once_known(
    component: str, whole: pulumi.Input[T], problems: Callable[[T], Iterable[tuple[str, str]]]
) -> pulumi.Input[T]:
    """The whole; an output only where its value will do. A plain one is as it was: it is looked at elsewhere.

    Args:
        component: whose argument it is.
        whole: the argument.
        problems: what is wrong with its value: each problem's path, and what is allowed.
    """

    def check(known: T) -> T:
        found = list(problems(known))
        if found:
            raise InvalidArgs(component, found)
        return known

    return cast("pulumi.Output[T]", whole).apply(check) if isinstance(whole, pulumi.Output) else whole


def names_of(whole: Any) -> pulumi.Input[list[str]]:
    """A map's keys, sorted. They are no secrets, not even those of a map that is one."""
    if isinstance(whole, pulumi.Output):
        found = cast("pulumi.Output[dict[str, Any]]", whole).apply(_sorted)
        return pulumi.Output.unsecret(found)
    return sorted(whole)


def _sorted(known: dict[str, Any]) -> list[str]:
    return sorted(known)


def made_of(whole: pulumi.Input[T], make: Callable[[T], U]) -> pulumi.Input[U]:
    """What is made of the whole, later where that is an output."""
    return cast("pulumi.Output[T]", whole).apply(make) if isinstance(whole, pulumi.Output) else make(cast(T, whole))


def public_map(whole: pulumi.Output[Any]) -> pulumi.Output[Any]:
    """The map, or its keys, which are no secrets, with a fixed text for each value of a secret one."""

    async def value() -> Any:
        known = await whole.future(with_unknowns=True)
        if await whole.is_secret() and isinstance(known, dict):
            return dict.fromkeys(cast(dict[str, Any], known), HIDDEN)
        return cast(Any, known)

    async def secret() -> bool:
        return False

    return pulumi.Output(whole.resources(), Later(value), Later(whole.is_known), Later(secret))
