"""Outputs that are made when they are read, of several others at once."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks, rpc

from sc_secure.components._outputs import Component, carried, joined, of_answer
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
