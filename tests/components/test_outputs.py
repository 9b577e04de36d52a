"""Outputs that are made when they are read, of several others at once."""

import gc
from collections.abc import Callable
from typing import Any

import grpc
import pulumi
import pytest
from pulumi.runtime import mocks, rpc

from sc_secure.components._outputs import Component, carried, joined, of_answer, register
from tests.components.mocked import Mocks, run, unknown


class Made(Component):
    def __init__(self, outputs: dict[str, Callable[[], pulumi.Output[Any]]]) -> None:
        super().__init__("test:index:Made", "made", {}, None)
        self.publish(outputs)


def test_an_output_is_made_once_and_registered_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[dict[str, Any]] = []
    usual = mocks.MockMonitor.RegisterResourceOutputs

    def register(self: mocks.MockMonitor, request: Any) -> Any:
        if request.urn.endswith("::made"):  # the stack registers some too
            registered.append(rpc.deserialize_properties(request.outputs))
        return usual(self, request)

    monkeypatch.setattr(mocks.MockMonitor, "RegisterResourceOutputs", register)
    made: list[str] = []

    def make(name: str) -> Callable[[], pulumi.Output[str]]:
        def output() -> pulumi.Output[str]:
            made.append(name)
            return pulumi.Output.from_input(f"its {name}")

        return output

    def program() -> pulumi.Output[str]:
        component = Made({"status": make("status"), "rekor_log_index": make("index")})
        assert made == [], "before anyone reads it"
        assert component.status is component.status  # type: ignore[attr-defined]
        return component.status  # type: ignore[attr-defined,no-any-return]

    assert run(program, Mocks()) == "its status"
    assert sorted(made) == ["index", "status"]
    assert registered == [{"status": "its status", "rekorLogIndex": "its index"}]


def test_the_debug_log_isn_t_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "debug", lambda text, *_: said.append(text))

    def program() -> None:
        Made({"status": lambda: pulumi.Output.from_input("x")})

    run(program, Mocks())
    assert [text for text in said if text.startswith("registering resource") and "Made" in text], "it listens"
    assert not [text for text in said if "::made" in text and "outputs prepared" in text]


def test_an_sdk_of_another_make_registers_them_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[Any] = []
    monkeypatch.setattr(pulumi.ComponentResource, "register_outputs", lambda _, outputs: registered.append(outputs))
    monkeypatch.setattr(pulumi.runtime.settings, "_get_rpc_manager", object)
    component = object.__new__(Made)
    register(component, {"status": 1})
    monkeypatch.delattr(pulumi.runtime.settings, "_get_rpc_manager")
    register(component, {"status": 2})
    assert registered == [{"status": 1}, {"status": 2}]


class Lost(grpc.RpcError):
    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return "the monitor doesn't want it"


@pytest.mark.parametrize("fails", ["the output", "the monitor"])
def test_what_fails_fails_the_program(monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    usual = mocks.MockMonitor.RegisterResourceOutputs

    def refuse(self: mocks.MockMonitor, request: Any) -> Any:
        if request.urn.endswith("::made") and fails == "the monitor":
            raise Lost
        return usual(self, request)

    def status() -> pulumi.Output[Any]:
        if fails == "the output":
            raise pulumi.RunError("the output can't be made")
        return pulumi.Output.from_input("x")

    monkeypatch.setattr(mocks.MockMonitor, "RegisterResourceOutputs", refuse)

    def program() -> None:
        Made({"status": status})

    with pytest.raises(Exception, match=r"the output can't be made|the monitor doesn't want it"):
        run(program, Mocks())


@pytest.mark.parametrize(("before", "after"), [(700, 10_000), (0, 0), (20_000, 20_000)])
def test_garbage_is_looked_for_less_often_unless_the_program_has_its_own_way(before: int, after: int) -> None:
    usual = gc.get_threshold()

    def program() -> None:
        gc.set_threshold(before, *usual[1:])
        Made({})
        assert gc.get_threshold() == (after, *usual[1:])

    try:
        run(program, Mocks())
    finally:
        gc.set_threshold(*usual)


def test_any_other_attribute_is_none() -> None:
    def program() -> None:
        component = Made({"status": lambda: pulumi.Output.from_input("x")})
        with pytest.raises(AttributeError, match=r"^Made has no attribute 'state'$"):
            _ = component.state  # type: ignore[attr-defined]
        with pytest.raises(AttributeError, match=r"^Made has no attribute '_makers'$"):
            _ = Made.__new__(Made)._makers

    run(program, Mocks())


def of(resources: set[Any], *, is_known: bool = True, is_secret: bool = False) -> pulumi.Output[str]:
    async def known() -> bool:
        return is_known

    async def secret() -> bool:
        return is_secret

    async def value() -> str:
        return "value"

    return pulumi.Output(resources, value(), known(), secret())


def test_what_is_joined_is_known_when_all_are_and_secret_when_any_is() -> None:
    seen: list[tuple[Any, ...]] = []

    async def look() -> None:
        one, two = pulumi.ComponentResource("test:index:One", "one"), pulumi.ComponentResource("test:index:Two", "two")
        for second in (of({two}), of({two}, is_secret=True), of({two}, is_known=False)):
            output = joined([of({one}), second], "+".join)
            value = await output.future(with_unknowns=True)
            assert await output.resources() == {one, two}
            seen.append((value, await output.is_known(), await output.is_secret()))

    run(lambda: pulumi.Output.from_input(look()), Mocks(), preview=True)
    assert seen == [("value+value", True, False), ("value+value", True, True), (None, False, False)]


def test_nothing_is_made_of_what_is_not_known() -> None:
    made: list[Any] = []
    run(lambda: joined([unknown()], made.append), Mocks(), preview=True)
    assert made == []


def test_an_answer_is_known_and_no_secret_and_of_no_resource() -> None:
    seen: list[Any] = []

    async def answer() -> str:
        return "three"

    async def look() -> None:
        output = of_answer(answer)
        seen.extend([await output.future(), await output.is_known(), await output.is_secret()])
        seen.append(await output.resources())

    run(lambda: pulumi.Output.from_input(look()), Mocks())
    assert seen == ["three", True, False, set()]


def test_what_is_carried_is_left_and_the_rest_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[Any] = []

    def leave(output: pulumi.Output[Any]) -> None:
        left.append(output)

    monkeypatch.setattr(pulumi.Output, "_untrack", leave)

    def program() -> None:
        output = pulumi.Output.from_input("x")
        left.clear()  # `apply` and the like leave some too
        carried(["text", output, None])
        assert [each is output for each in left] == [True]

    run(program, Mocks())


def test_an_sdk_that_waits_for_all_of_them_is_only_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> pulumi.Output[str]:
        output = pulumi.Output.from_input("x")
        with monkeypatch.context() as patch:
            patch.delattr(pulumi.Output, "_untrack")
            carried([output])
        return output

    assert run(program, Mocks()) == "x"
