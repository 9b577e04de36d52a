"""The gate itself: what a step's command printed, and what waits for it."""

import contextlib
import re
from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pytest

from sc_secure.components._step import Step, _passed, gate
from tests.components.mocked import REFERENCE, Mocks, result_for, run

SCAN = f"x image scan --image {REFERENCE}"
PARENT = cast(pulumi.Resource, None)


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was warned of."""
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda message, resource: said.append(message))
    return said


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("", "app: the command printed no step result, so the step didn't pass"),
        (None, "app: the command printed no step result, so the step didn't pass"),
        (result_for(SCAN) + result_for(SCAN), "app: the command printed no step result, so the step didn't pass"),
        (
            result_for(SCAN, subject=REFERENCE.replace("app@", "other@")),
            f"app: the command's result is about {REFERENCE.replace('app@', 'other@')}, not about {REFERENCE}",
        ),
        (
            result_for(SCAN, subject=REFERENCE[:-1] + "b"),
            f"app: the command's result is about {REFERENCE[:-1]}b, not about {REFERENCE}",
        ),
    ],
)
def test_what_is_no_pass(printed: str | None, said: str) -> None:
    with pytest.raises(pulumi.RunError, match=f"^{re.escape(said)}$"):
        _passed("app", PARENT, REFERENCE, printed)


@pytest.mark.parametrize("status", ["passed", "reused", "skipped", "soft_failed"])
def test_only_a_soft_failure_is_warned_of(status: str, warned: list[str]) -> None:
    result = _passed("app", PARENT, REFERENCE, result_for(SCAN, status=status, warnings=["down", "late"]))
    assert result.status == status
    soft = ["app: down; the next update tries again", "app: late; the next update tries again"]
    assert warned == (soft if status == "soft_failed" else [])


def through(result: Any, *, preview: bool) -> Any:
    """What is behind a gate with one step; "closed" where it never opens."""
    seen: list[Any] = []

    async def look() -> None:
        step = cast(Step, SimpleNamespace(result=pulumi.Output.from_input(REFERENCE).apply(result)))
        opened = gate(pulumi.Output.from_input(REFERENCE), [step])
        try:
            seen.append(await opened.future(with_unknowns=True))
        except pulumi.RunError:
            seen.append("closed")

    with contextlib.suppress(pulumi.RunError):  # Pulumi tells of every output that failed
        run(lambda: pulumi.Output.from_input(look()), Mocks(), preview=preview)
    return seen[0]


def fails(_: Any) -> None:
    raise pulumi.RunError("it didn't pass")


def test_in_an_update_there_is_no_value_before_each_result() -> None:
    assert through(lambda _: "a result", preview=False) == REFERENCE
    assert through(fails, preview=False) == "closed"


def test_what_is_known_not_to_have_passed_closes_it_in_a_preview_too() -> None:
    assert through(lambda _: "a result", preview=True) == REFERENCE
    assert through(fails, preview=True) == "closed"


def test_without_steps_it_is_the_reference_itself() -> None:
    reference: list[pulumi.Output[str]] = []

    def program() -> pulumi.Output[str]:
        reference.append(pulumi.Output.from_input(REFERENCE))
        assert gate(reference[0], []) is reference[0]
        return reference[0]

    assert run(program, Mocks()) == REFERENCE
