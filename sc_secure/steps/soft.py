"""Soft failures: a step that isn't required, and that couldn't be done, is passed over with a warning.

Only what says nothing about the image is ever soft: a tool, a network or a registry that failed. A policy that is
violated, a verification that failed, and bad usage never are, and neither is an interrupt or an error of our own.
"""

from __future__ import annotations

from datetime import datetime

from sc_secure.errors import InfrastructureError, ScSecureError, ToolMissing
from sc_secure.steps.result import StepName, StepResult
from sc_secure.tools.lifeline import StepTimedOut
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.text import printable

_LONGEST = 1000
"""Characters of the failure that stand in the warning: a result is kept in state."""


def is_soft(error: ScSecureError, *, of_a_part: bool = False) -> bool:
    """Whether a step that isn't required may be passed over because of this error.

    Args:
        error: what ended the step.
        of_a_part: the step is a part of a run, whose own time-out is none of the step's.
    """
    if of_a_part and isinstance(error, StepTimedOut) and error.whole:
        return False
    return isinstance(error, InfrastructureError | ToolMissing | StepTimedOut)


def soft_failure(step: StepName, image: ImageReference, error: ScSecureError, started_at: datetime) -> StepResult:
    """The result of a step that isn't required and failed softly: no outputs, and a warning that says why."""
    reason = printable(error.message, limit=_LONGEST)
    warning = f"{step} failed, and isn't required: {reason}"
    return StepResult(step=step, subject=image.subject, status="soft_failed", warnings=[warning], started_at=started_at)
