"""What the last update recorded decides whether a step runs again, and nothing else does."""

import base64
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks

from sc_secure import ScanCommand, SecuredImage, SignCommand
from sc_secure.components._memory import assumed_in_preview, recorded_outputs
from tests.components.mocked import DIGEST, REFERENCE, Mocks, result_for, run, unknown

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


@pytest.mark.parametrize(("text", "number"), [(SCAN, "3"), (SCAN.replace("critical", "high"), "1")])
def test_behind_an_alias_it_is_known_by_its_text(text: str, number: str) -> None:
    recorder = remembering(SCAN_URN.replace("::scan", "::was"), result_for(SCAN), SC_SECURE_ATTEMPT="3")
    recorder.recorded[SCAN_URN.replace("::scan", "::was")]["outputs"]["create"] = text
    assert attempt(recorder) == number
    assert attempt(recorder, preview=True, image=unknown) == "1"


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


ELSEWHERE = f"sha256:{'e' * 64}"


def signing(recorder: Mocks, **args: Any) -> str:
    given: Any = {"image": REFERENCE, "key": "cosign.key", **args}
    run(lambda: SignCommand("sign", given).passed_ref, recorder)
    return recorder.resources["command:local:Command::sign"][1]["environment"]["SC_SECURE_ATTEMPT"]


def signed(attached: list[str] | None, **changes: Any) -> Mocks:
    outputs = {"signatureDigest": DIGEST, "rekorUuid": "", "rekorLogIndex": ""}
    recorder = remembering(SIGN_URN, result_for(SIGN, outputs=outputs, **changes), SC_SECURE_ATTEMPT="1")
    if attached is not None:
        recorder.attached = {REFERENCE: attached}
    return recorder


def test_what_is_still_attached_is_left_alone(said: list[str]) -> None:
    assert signing(signed([ELSEWHERE, DIGEST])) == "1"
    assert said == []


def test_a_signature_that_is_gone_is_made_again(said: list[str]) -> None:
    assert signing(signed([ELSEWHERE])) == "2"
    assert said == ["sign runs again: gone from the registry: signature"]


def test_a_registry_that_does_not_answer_changes_nothing_and_is_told_once(said: list[str]) -> None:
    assert signing(signed(None)) == "1"
    assert said == ["what is still attached isn't known, so nothing is done again for it: the registry doesn't answer"]


def test_the_registry_is_asked_while_the_first_steps_are_declared(said: list[str]) -> None:
    class Ordered(Mocks):
        looks_at_scan = 0

        def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
            if args.name == "app-scan" and args.typ == "command:local:Command":
                self.looks_at_scan = self.looks
            return super().new_resource(args)

    recorder = Ordered()
    recorder.recorded = signed([]).recorded
    security: Any = {"scan": {}, "signing": {"key": "cosign.key"}}
    run(lambda: SecuredImage("app", {"image_ref": REFERENCE, "security": security}).deployable_ref, recorder)
    assert (recorder.looks_at_scan, recorder.looks) == (1, 1)


def test_drift_is_warned_of_or_not_looked_at(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, _resource: warned.append(text))
    assert signing(signed([]), drift="warn") == "1"
    assert warned == ["gone from the registry: signature (drift: warn)"]
    recorder = signed([])
    assert signing(recorder, drift="off") == "1"
    assert recorder.looks == 0
    assert said == []


def test_what_was_never_attached_is_not_looked_for() -> None:
    recorder = remembering(SIGN_URN, result_for(SIGN, outputs={}, status="soft_failed"), SC_SECURE_ATTEMPT="1")
    assert signing(recorder) == "2"  # for the soft failure
    first = Mocks()
    assert signing(first) == "1"
    assert recorder.looks == first.looks == 0


def test_one_look_for_all_images() -> None:
    recorder = Mocks()
    for n in range(5):
        urn = SIGN_URN.removesuffix("sign") + f"sign{n}"
        subject = REFERENCE.replace("app@", f"app{n}@")
        printed = result_for(SIGN.replace(REFERENCE, subject), outputs={"signatureDigest": DIGEST})
        recorder.recorded[urn] = {"type": "command:local:Command", "outputs": {"stdout": printed, "environment": {}}}
        recorder.attached[subject] = [DIGEST] if n else []

    def program() -> pulumi.Output[Any]:
        images = [REFERENCE.replace("app@", f"app{n}@") for n in range(5)]
        steps = [SignCommand(f"sign{n}", {"image": image, "key": "cosign.key"}) for n, image in enumerate(images)]
        return pulumi.Output.all(*[step.passed_ref for step in steps])

    run(program, recorder)
    assert recorder.looks == 1
    attempts = [
        recorder.resources[f"command:local:Command::sign{n}"][1]["environment"]["SC_SECURE_ATTEMPT"] for n in range(5)
    ]
    assert attempts == ["2", "1", "1", "1", "1"]


class Locked(Mocks):
    """A registry that shows a repository to one login alone: the file with it, which the command names."""

    def __init__(self, readers: dict[str, str]) -> None:
        super().__init__()
        self.readers = readers
        self.asked: list[tuple[str, list[str]]] = []

    def _status(self, words: list[str]) -> str:
        file = words[words.index("--registry-config") + 1] if "--registry-config" in words else ""
        images = [image for before, image in itertools.pairwise(words) if before == "--image"]
        login = json.loads(Path(file).read_text())["auths"]["https://registry.example"]["auth"] if file else ""
        user = base64.b64decode(login).decode().partition(":")[0]
        self.asked.append((user, images))
        self.attached = {image: [] for image in images if self.readers[image] == user}
        return super()._status(words)


@pytest.mark.usefixtures("project")
def test_a_look_for_each_login_that_the_program_holds(said: list[str]) -> None:
    subjects = {name: REFERENCE.replace("app@", f"{name}@") for name in ("a1", "a2", "b", "open")}
    users = {"a1": "anna", "a2": "anna", "b": "bert", "open": ""}
    recorder = Locked({subjects[name]: user for name, user in users.items()})
    for name, user in users.items():
        command = SIGN.replace(REFERENCE, subjects[name])
        printed = result_for(command, outputs={"signatureDigest": DIGEST})
        text = f"{command} --registry-config .sc/run/dev/SignCommand-{name}.json" if user else command
        outputs = {"stdout": printed, "environment": {}, "create": text}
        recorder.recorded[SIGN_URN.removesuffix("sign") + name] = {"type": "command:local:Command", "outputs": outputs}

    def program() -> pulumi.Output[Any]:
        steps: list[SignCommand] = []
        for name, user in users.items():
            args: Any = {"image": subjects[name], "key": "cosign.key"}
            if user:
                password = pulumi.Output.secret("s3cret")
                args["registry"] = {"server": "https://registry.example", "username": user, "password": password}
            steps.append(SignCommand(name, args))
        return pulumi.Output.all(*[step.passed_ref for step in steps])

    run(program, recorder, preview=True)
    held = [subjects["a1"], subjects["a2"], subjects["b"]]
    assert sorted(recorder.asked) == [("", [subjects["open"]]), ("anna", held), ("bert", held)]
    attempts = {name: inputs["environment"]["SC_SECURE_ATTEMPT"] for name, inputs in commands(recorder).items()}
    assert attempts == dict.fromkeys(users, "2")
    assert sorted(said) == [f"{name} runs again: gone from the registry: signature" for name in users]


def commands(recorder: Mocks) -> dict[str, Any]:
    return {key.rpartition("::")[2]: inputs for key, (_, inputs) in recorder.resources.items() if "command" in key}


@pytest.mark.usefixtures("project")
def test_a_password_that_a_preview_does_not_know_is_told_once(said: list[str]) -> None:
    recorder = signed([])
    registry: Any = {"server": "registry.example", "username": "anna", "password": None}

    def program() -> pulumi.Output[Any]:
        registry["password"] = unknown()
        steps = [SignCommand(name, {"image": REFERENCE, "key": "k", "registry": registry}) for name in ("sign", "more")]
        return pulumi.Output.all(*[step.passed_ref for step in steps])

    for name in ("sign", "more"):
        recorder.recorded[SIGN_URN.removesuffix("sign") + name] = recorder.recorded[SIGN_URN]
    run(program, recorder, preview=True)
    assert recorder.looks == 0
    (line,) = said
    assert line.endswith("the registry's credentials aren't known yet")


def test_a_rescan_attests_its_result_anew() -> None:
    """The number of the scan's run is an input of the attestation of the scan, and of no other step."""
    recorder = Mocks()
    security: Any = {"scan": {"rescan_after": "24h"}, "sbom": {}, "signing": {"key": "cosign.key"}}
    run(lambda: SecuredImage("app", {"image_ref": REFERENCE, "security": security}).deployable_ref, recorder)
    names = {"app-sbom", "app-scan", "app-sign", "app-attest-sbom", "app-attest-scan", "app-verify"}
    environments = {name: recorder.resources[f"command:local:Command::{name}"][1]["environment"] for name in names}
    assert {name for name, variables in environments.items() if "SC_SECURE_SCAN" in variables} == {"app-attest-scan"}
    assert environments["app-attest-scan"]["SC_SECURE_SCAN"] == environments["app-scan"]["SC_SECURE_ATTEMPT"] == "1"


@pytest.mark.parametrize(
    ("tools", "run_of"),
    [(["grype"], "1"), (["grype", "trivy"], "1 grype, trivy"), (["trivy"], "1 trivy")],
)
def test_other_scanners_attest_their_result_anew(tools: list[str], run_of: str) -> None:
    recorder = Mocks()
    security: Any = {"scan": {"tools": [{"name": name} for name in tools]}, "signing": {"key": "cosign.key"}}
    run(lambda: SecuredImage("app", {"image_ref": REFERENCE, "security": security}).deployable_ref, recorder)
    _, inputs = recorder.resources["command:local:Command::app-attest-scan"]
    assert inputs["environment"]["SC_SECURE_SCAN"] == run_of


@pytest.mark.parametrize(("hours", "number"), [(23, "1"), (25, "2")])
def test_an_image_is_scanned_again_when_the_policy_says(said: list[str], hours: int, number: str) -> None:
    ended = datetime.now(UTC) - timedelta(hours=hours)
    recorder = remembering(SCAN_URN, result_for(SCAN, finished_at=ended), SC_SECURE_ATTEMPT="1")
    args: Any = {"image": REFERENCE, "rescan_after": "24h"}
    run(lambda: ScanCommand("scan", args).passed_ref, recorder)
    _, inputs = recorder.resources["command:local:Command::scan"]
    assert inputs["environment"]["SC_SECURE_ATTEMPT"] == number
    assert inputs["create"] == SCAN  # how often is no part of what is done


EXECUTION_URN = "urn:pulumi:dev::trial::pulumi:pulumi:Stack$test:index:Service$aws:iam/rolePolicy:RolePolicy::web"


class Assuming(pulumi.ComponentResource):
    """What a preview takes for a value that it doesn't know."""

    def __init__(self, value: Callable[[], Any]) -> None:
        super().__init__("test:index:Service", "service", {})

        async def record() -> str | None:
            return (await recorded_outputs(self, "aws:iam/rolePolicy:RolePolicy", "web")).get("policy")

        self.value = assumed_in_preview(pulumi.Output.from_input(value()), record)


@pytest.mark.parametrize(
    ("value", "preview", "recorded", "expected"),
    [
        (lambda: "now", True, "before", "now"),
        (lambda: "now", False, "before", "now"),
        (unknown, True, "before", "before"),
        (unknown, True, None, None),
        (unknown, False, "before", None),
    ],
)
def test_a_preview_assumes_what_was_recorded_for_what_it_does_not_know(
    value: Callable[[], Any], preview: bool, recorded: str | None, expected: str | None
) -> None:
    recorder = Mocks()
    if recorded:
        recorder.recorded = {EXECUTION_URN: {"type": "aws:iam/rolePolicy:RolePolicy", "outputs": {"policy": recorded}}}
    assert run(lambda: Assuming(value).value, recorder, preview=preview) == expected
