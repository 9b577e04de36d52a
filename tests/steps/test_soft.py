"""What may be passed over where a step isn't required: never what says something about the image."""

from datetime import UTC, datetime

import pytest

from sc_secure.errors import (
    ConfigError,
    InfrastructureError,
    NotAuthorised,
    PolicyViolation,
    ScSecureError,
    ToolMissing,
    VerificationFailed,
)
from sc_secure.steps.soft import is_soft, soft_failure
from sc_secure.tools.lifeline import StepTimedOut
from sc_secure.tools.reference import parse_reference

IMAGE = parse_reference(f"registry.example/app@sha256:{'a' * 64}")
BEGAN = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.mark.parametrize("kind", [InfrastructureError, NotAuthorised, ToolMissing, StepTimedOut])
def test_what_says_nothing_about_the_image_is_soft(kind: type[ScSecureError]) -> None:
    assert is_soft(kind("x"))
    assert is_soft(kind("x"), of_a_part=True) == (kind is not StepTimedOut)


def test_a_part_of_a_run_that_took_too_long_by_itself_is_soft() -> None:
    error = StepTimedOut("x")
    error.whole = False
    assert is_soft(error, of_a_part=True)


@pytest.mark.parametrize("kind", [ScSecureError, ConfigError, PolicyViolation, VerificationFailed])
@pytest.mark.parametrize("of_a_part", [True, False])
def test_nothing_else_is(kind: type[ScSecureError], of_a_part: bool) -> None:
    assert not is_soft(kind("x"), of_a_part=of_a_part)


def test_its_result_says_why_and_nothing_more() -> None:
    result = soft_failure("sign", IMAGE, InfrastructureError("down\x1b" + "x" * 1200), BEGAN)
    shown = "down\\x1b" + "x" * 995
    assert result.warnings == [f"sign failed, and isn't required: {shown}…"]
    assert (result.step, result.subject, result.status) == ("sign", IMAGE.subject, "soft_failed")
    assert (result.outputs, result.artifacts, result.tool, result.started_at) == ({}, [], None, BEGAN)
