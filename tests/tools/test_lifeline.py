"""The whole run's time-out, and that of a part whose own time-out the run survives."""

import time

import pytest

from sc_secure.tools.lifeline import Lifeline, StepTimedOut


def wait(seconds: float) -> None:
    """Sleeps on, whatever wakes it, unless that raises."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.01)


def test_a_part_that_timed_out_leaves_the_rest_watched() -> None:
    with Lifeline(1.5) as lifeline:
        with pytest.raises(StepTimedOut, match=r"0\.3 s") as part, lifeline.within(0.3, "raise the part's"):
            wait(5)
        assert (part.value.whole, part.value.advice) == (False, "raise the part's")


def test_a_part_whose_time_out_is_swallowed_leaves_the_rest_watched() -> None:
    with pytest.raises(StepTimedOut, match="1 s") as whole, Lifeline(1) as lifeline:
        with lifeline.within(0.2, "raise the part's"):
            try:
                wait(5)
            except StepTimedOut as part:
                assert not part.whole
        wait(5)
    assert whole.value.whole


def test_a_part_has_no_more_time_than_the_whole() -> None:
    with pytest.raises(StepTimedOut, match=r"0\.3 s") as whole, Lifeline(0.3) as lifeline, lifeline.within(9, "no"):
        wait(5)
    assert whole.value.whole
    assert "--timeout" in whole.value.advice
