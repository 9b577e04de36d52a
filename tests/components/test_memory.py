"""What the last update recorded decides whether a step runs again, and nothing else does."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks

from sc_secure import ScanCommand, SecuredImage, SignCommand
from sc_secure.components._memory import older_than
from sc_secure.components._step import Step, Timeout
from sc_secure.steps.result import StepResult
from tests.components.mocked import REFERENCE, Mocks, result_for, run, unknown

SCAN = f".sc/bin/sc-secure image scan --image {REFERENCE} --fail-on critical --output json"
SIGN = f".sc/bin/sc-secure image sign --image {REFERENCE} --key cosign.key --no-transparency-log --output json"
SCAN_URN = "urn:pulumi:dev::trial::pulumi:pulumi:Stack$sc-secure:index:ScanCommand$command:local:Command::scan"
SIGN_URN = "urn:pulumi:dev::trial::pulumi:pulumi:Stack$sc-secure:index:SignCommand$command:local:Command::sign"


def remembering(urn: str, stdout: Any, **environment: str) -> Mocks:
    recorder = Mocks()
    recorder.recorded = {
        urn: {"type": "command:local:Command", "outputs": {"stdout": stdout, "environment": environment}}
    }
    return recorder


def attempt(recorder: Mocks, *, preview: bool = False, image: Callable[[], Any] = lambda: REFERENCE) -> str:
    run(lambda: ScanCommand("scan", {"image": image()}).passed_ref, recorder, preview=preview)
    return recorder.resources["command:local:Command::scan"][1]["environment"]["SC_SECURE_ATTEMPT"]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", lambda text, _resource: lines.append(text))
    return lines


@pytest.mark.parametrize("preview", [True, False])
def test_a_passed_step_keeps_its_number(said: list[str], preview: bool) -> None:
    recorder = remembering(SCAN_URN, result_for(SCAN), SC_SECURE_ATTEMPT="3")
    assert attempt(recorder, preview=preview) == "3"
    assert said == []


@pytest.mark.parametrize("preview", [True, False])
def test_a_soft_failure_is_tried_again_and_says_why(said: list[str], preview: bool) -> None:
    recorder = remembering(SCAN_URN, result_for(SCAN, status="soft_failed"), SC_SECURE_ATTEMPT="3")
    assert attempt(recorder, preview=preview) == "4"
    assert said == ["scan runs again: the last update's attempt failed softly"]


def test_a_soft_failure_of_another_image_says_nothing_about_this_one(said: list[str]) -> None:
    other = result_for(SCAN.replace("team/app", "team/other"), status="soft_failed")
    assert attempt(remembering(SCAN_URN, other, SC_SECURE_ATTEMPT="3")) == "3"
    recorder = remembering(SCAN_URN, result_for(SCAN, status="soft_failed"), SC_SECURE_ATTEMPT="3")
    assert attempt(recorder, preview=True, image=unknown) == "3"
    assert said == []


@pytest.mark.parametrize(
    ("urn", "stdout", "environment"),
    [
        ("urn:pulumi:dev::trial::command:local:Command::scan", result_for(SCAN, status="soft_failed"), {}),
        (SIGN_URN, result_for(SCAN, status="soft_failed"), {"SC_SECURE_ATTEMPT": "7"}),
        (SCAN_URN, "rubbish", {}),
        (SCAN_URN, None, {"SC_SECURE_ATTEMPT": "many"}),
    ],
)
def test_without_a_record_of_its_own_it_is_the_first(urn: str, stdout: Any, environment: dict[str, str]) -> None:
    assert attempt(remembering(urn, stdout, **environment)) == "1"


def test_an_engine_that_cannot_tell_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(Mocks):
        def call(self, args: mocks.MockCallArgs) -> Any:
            return {}, [("stackName", "no such function")]

    assert attempt(Forgetful()) == "1"


def test_the_stack_is_read_once_for_all_images() -> None:
    recorder = Mocks()
    security: Any = {"scan": {}, "sbom": {}, "signing": {"key": "cosign.key"}, "provenance": {}}

    def program() -> pulumi.Output[Any]:
        return pulumi.Output.all(
            *[SecuredImage(f"app{n}", {"image_ref": REFERENCE, "security": security}).deployable_ref for n in range(5)]
        )

    run(program, recorder)
    assert recorder.reads == 1
    run(program, recorder)
    assert recorder.reads == 2


def sign(recorder: Mocks) -> str:
    run(lambda: SignCommand("sign", {"image": REFERENCE, "key": "cosign.key"}).passed_ref, recorder)
    return recorder.resources["command:local:Command::sign"][1]["environment"]["SC_SECURE_KEY"]


def test_another_key_under_the_same_path_signs_again(project: Path) -> None:
    key = project / "cosign.key"
    key.write_text("one")
    one = sign(Mocks())
    assert one == sign(remembering(SIGN_URN, result_for(SIGN), SC_SECURE_KEY=one, SC_SECURE_ATTEMPT="1"))
    key.write_text("other")
    assert one != sign(remembering(SIGN_URN, result_for(SIGN), SC_SECURE_KEY=one, SC_SECURE_ATTEMPT="1"))


def test_a_machine_without_the_key_shows_no_change(project: Path) -> None:
    recorder = remembering(SIGN_URN, result_for(SIGN), SC_SECURE_KEY="0123", SC_SECURE_ATTEMPT="1")
    assert sign(recorder) == "0123"
    assert sign(Mocks()) == ""


@pytest.mark.parametrize("key", ["env://KEY", "awskms:///alias/x", "pkcs11:slot-id=0"])
def test_a_key_that_is_no_file_has_no_hash(key: str) -> None:
    recorder = Mocks()
    run(lambda: SignCommand("sign", {"image": REFERENCE, "key": key}).passed_ref, recorder)
    environment = recorder.resources["command:local:Command::sign"][1]["environment"]
    assert set(environment) == {"SC_SECURE_ATTEMPT"}


class Aging(pulumi.ComponentResource):
    """A step that runs again once its result is older than a day."""

    def __init__(self) -> None:
        super().__init__("sc-secure:index:ScanCommand", "scan", {})
        image = pulumi.Output.from_input(REFERENCE)
        words, timeout = ["image", "scan"], Timeout(600, ())
        again = [older_than(timedelta(days=1))]
        self.step = Step("scan", image, words, parent=self, timeout=timeout, opts=None, again=again)


@pytest.mark.parametrize(("hours", "number"), [(0, "1"), (23, "1"), (25, "2"), (49, "2")])
def test_an_old_result_is_made_anew(said: list[str], hours: int, number: str) -> None:
    ended = datetime.now(UTC) - timedelta(hours=hours)
    old = StepResult.from_line(result_for(SCAN)).model_copy(update={"finished_at": ended}).to_line()
    recorder = remembering(SCAN_URN, old, SC_SECURE_ATTEMPT="1")
    run(lambda: Aging().step.passed_ref, recorder)
    environment = recorder.resources["command:local:Command::scan"][1]["environment"]
    assert environment["SC_SECURE_ATTEMPT"] == number
    assert len(said) == int(number) - 1
