"""A component's outputs, few at a time.

Pulumi's Python SDK waits for a program's outputs in rounds, each of which looks at every output that is left: with many
images, the time of an update in which nothing changes goes by the square of their number. So an output is made when it
is read first, of several others at once, and isn't waited for where another carries its error.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pulumi

from sc_secure.components._memory import Later

T = TypeVar("T")


class Component(pulumi.ComponentResource):
    """A component whose outputs are made when they are read."""

    def publish(self, outputs: Mapping[str, Callable[[], pulumi.Output[Any]]]) -> None:
        """Registers the component's outputs, the last act of its constructor.

        Args:
            outputs: each one's name in Python -> how it is made.
        """
        self._makers = dict(outputs)
        self.register_outputs({_camel_case(name): Later(partial(self._read, name)) for name in outputs})

    async def _read(self, name: str) -> pulumi.Output[Any]:
        return getattr(self, name)

    if not TYPE_CHECKING:  # to a type checker, an output is what the class declares, and nothing else is there

        def __getattr__(self, name: str) -> pulumi.Output[Any]:
            """The output, on first use."""
            make = self.__dict__.get("_makers", {}).get(name)
            if make is None:
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
            self.__dict__[name] = output = make()
            return output


def _camel_case(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def joined(outputs: Sequence[pulumi.Output[Any]], make: Callable[[list[Any]], T]) -> pulumi.Output[T]:
    """What is made of several outputs, as one more; `pulumi.Output.all` and `apply` make two more of each."""

    async def resources() -> set[pulumi.Resource]:
        return set[pulumi.Resource]().union(*[await output.resources() for output in outputs])

    async def known() -> bool:
        return all([await output.is_known() for output in outputs])

    async def value() -> Any:
        return make([await output.future(with_unknowns=True) for output in outputs]) if await known() else None

    async def secret() -> bool:
        return any([await output.is_secret() for output in outputs])

    # The resources are awaited first, and raise what any of the outputs raises.
    return pulumi.Output(Later(resources), Later(value), Later(known), Later(secret))


def of_answer(answer: Callable[[], Any]) -> pulumi.Output[Any]:
    """An output of what is found out when it is awaited: always known, never secret, and of no resource."""

    async def yes() -> bool:
        return True

    async def no() -> bool:
        return False

    return pulumi.Output(set[pulumi.Resource](), Later(answer), Later(yes), Later(no))


def carried(outputs: Iterable[Any]) -> None:
    """Leaves outputs to others that await them and carry their errors, as `apply` does with the output it is called on.

    Args:
        outputs: what is left; whatever isn't an output is passed over.
    """
    leave: Callable[[pulumi.Output[Any]], None] | None = getattr(pulumi.Output, "_untrack", None)
    if leave is None:  # an SDK that has it not waits for them all, and is only slower
        return
    for output in outputs:
        if isinstance(output, pulumi.Output):
            leave(cast(pulumi.Output[Any], output))
