"""A component's outputs, few at a time.

Pulumi's Python SDK waits for a program's outputs in rounds, each of which looks at every output that is left: with many
images, the time of an update in which nothing changes goes by the square of their number. So an output is made when it
is read first, of several others at once, and isn't waited for where another carries its error.

docs/decisions/0012 has what else is done for such an update, and its figures.
"""

import asyncio
import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import grpc
import pulumi
from pulumi.runtime import rpc, settings
from pulumi.runtime.proto import resource_pb2

from sc_secure.components._memory import Later

T = TypeVar("T")

_OBJECTS_BEFORE_COLLECTING = 10_000
"""How many new objects Python waits for before it looks for garbage; its own 700 come together with each resource."""


class Component(pulumi.ComponentResource):
    """A component whose outputs are made when they are read."""

    def publish(self, outputs: Mapping[str, Callable[[], pulumi.Output[Any]]]) -> None:
        """Registers the component's outputs, the last act of its constructor.

        Args:
            outputs: each one's name in Python -> how it is made.
        """
        self._makers = dict(outputs)
        _collect_less_often()
        register(self, {_camel_case(name): Later(partial(self._read, name)) for name in outputs})

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


def register(component: pulumi.ComponentResource, outputs: Mapping[str, Any]) -> None:
    """As `component.register_outputs`, without the SDK's messages for the debug log: each is a call that the program's
    only thread waits for, three for each component.

    Args:
        component: whose outputs they are.
        outputs: each one's name in the state -> its value.
    """
    manager = cast(Any, getattr(settings, "_get_rpc_manager", lambda: None)())
    outstanding = getattr(manager, "rpcs", None)
    if not isinstance(outstanding, list):  # another SDK, which is only slower
        component.register_outputs(dict(outputs))
        return

    async def registered() -> None:
        urn = await component.urn.future()
        serialized = await rpc.serialize_properties(dict(outputs), {})
        monitor = cast(Any, settings.get_monitor())
        request = resource_pb2.RegisterResourceOutputsRequest(urn=urn or "", outputs=serialized)
        try:
            await asyncio.to_thread(monitor.RegisterResourceOutputs, request)
        except grpc.RpcError as error:
            settings.handle_grpc_error(error)

    cast("list[asyncio.Future[None]]", outstanding).append(asyncio.ensure_future(registered()))


def _collect_less_often() -> None:
    """In a program of many images, Python looks for garbage that isn't there for half a second."""
    first, *others = gc.get_threshold()
    if 0 < first < _OBJECTS_BEFORE_COLLECTING:  # 0: it is off, as the program wants it
        gc.set_threshold(_OBJECTS_BEFORE_COLLECTING, *others)


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
