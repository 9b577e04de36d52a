"""What a step's command says of its time-out and of failures, and what of a value may stand in state."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pulumi
import pytest

from sc_secure.components._memory import Recorded
from sc_secure.components._step import Timeout, _fingerprint, checked_timeout, failure_words, public
from sc_secure.components._validate import InvalidArgs
from tests.components.mocked import Mocks, run


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, []),
        ({"required": True}, []),
        ({"required": False}, ["--allow-failure"]),
        ({"retry": {}}, []),
        ({"retry": {"attempts": 4, "base_delay": 0.5}}, []),
        ({"retry": {"attempts": 5}}, ["--retry-attempts", "5"]),
        ({"retry": {"base_delay": 0}}, ["--retry-base-delay", "0"]),
        (
            {"required": False, "retry": {"attempts": 1, "base_delay": 0.25}},
            ["--allow-failure", "--retry-attempts", "1", "--retry-base-delay", "0.25"],
        ),
    ],
)
def test_what_happens_when_it_cannot_be_done(given: dict[str, Any], words: list[str]) -> None:
    assert failure_words("SignCommand", given) == words


@pytest.mark.parametrize(("prefix", "path"), [((), "retry.attempts"), (("security.",), "security.retry.attempts")])
def test_a_number_of_attempts_out_of_range_is_refused(prefix: tuple[str, ...], path: str) -> None:
    with pytest.raises(InvalidArgs) as refused:
        failure_words("SignCommand", {"retry": {"attempts": 0}}, *prefix)
    ((at, _),) = refused.value.problems
    assert at == path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, Timeout(600, ())),
        (600, Timeout(600, ())),
        (1, Timeout(1, ("--timeout", "1"))),
        (86400, Timeout(86400, ("--timeout", "86400"))),
    ],
)
def test_a_time_out_is_in_the_command_where_it_is_another(given: int | None, expected: Timeout) -> None:
    assert checked_timeout("SignCommand", given, 600) == expected


@pytest.mark.parametrize("given", [0, 86401])
def test_a_time_out_out_of_range_is_refused(given: int) -> None:
    for prefix in ("", "verify."):
        with pytest.raises(InvalidArgs) as refused:
            checked_timeout("SignCommand", given, 600, *([prefix] if prefix else []))
        assert refused.value.problems == [(f"{prefix}timeout_seconds", "between 1 and 86400 seconds")]


def fingerprint(last: Recorded | None) -> str:
    loop = asyncio.new_event_loop()  # not `asyncio.run`, which leaves the thread without one
    try:
        return loop.run_until_complete(_fingerprint("KEY", "cosign.key", last))
    finally:
        loop.close()


def test_a_files_hash_is_what_was_recorded_where_the_file_is_not(project: Path) -> None:
    assert fingerprint(None) == ""
    assert fingerprint(Recorded(1, {}, None)) == ""
    assert fingerprint(Recorded(1, {"KEY": "before", "OTHER": "x"}, None)) == "before"
    (project / "cosign.key").write_bytes(b"one")
    assert fingerprint(Recorded(1, {"KEY": "before"}, None)) == hashlib.sha256(b"one").hexdigest()[:16]


def test_a_secret_becomes_a_fixed_text_and_nothing_else_does() -> None:
    """Whether a secret is known isn't told either."""
    seen: dict[str, tuple[Any, bool, bool]] = {}

    async def look() -> None:
        async def no() -> bool:
            return False

        async def yes() -> bool:
            return True

        async def nothing() -> None:
            return None

        outputs = {
            "plain": pulumi.Output.from_input("x"),
            "secret": pulumi.Output.secret("x"),
            "unknown": pulumi.Output(set(), nothing(), no(), no()),
            "unknown secret": pulumi.Output(set(), nothing(), no(), yes()),
        }
        for name, output in outputs.items():
            shown = public(output)
            value = await shown.future(with_unknowns=True)
            seen[name] = (value, await shown.is_known(), await shown.is_secret())

    run(lambda: pulumi.Output.from_input(look()), Mocks(), preview=True)
    assert seen.pop("unknown")[1:] == (False, False)
    assert seen == {
        "plain": ("x", True, False),
        "secret": ("(secret)", True, False),
        "unknown secret": ("(secret)", True, False),
    }
