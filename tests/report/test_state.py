import shlex
from datetime import timedelta
from typing import Any

import pytest

from sc_secure.report import words
from sc_secure.report.building import build
from sc_secure.report.state import Recorded, images
from sc_secure.steps.result import StepResult
from tests.report.documents import BEGAN, DIGEST, SUBJECT

KEY = ["--key", "cosign.key", "--no-transparency-log"]
CHAIN: dict[str, tuple[str, list[str], list[str], dict[str, Any]]] = {
    "web-sbom": ("sbom generate", [], [], {"packages": 88}),
    "web-scan": ("image scan", ["--fail-on", "critical"], ["web-sbom"], {"verdict": "pass", "high": 2}),
    "web-sign": ("image sign", KEY, ["web-sbom", "web-scan"], {"signatureDigest": DIGEST}),
    "web-attest-sbom": (
        "sbom attach",
        KEY,
        ["web-sbom", "web-scan", "web-sign"],
        {"predicateType": "https://cyclonedx.org/bom", "attestationDigest": DIGEST},
    ),
    "web-verify": (
        "image verify",
        ["--key", "cosign.pub"],
        ["web-sbom", "web-scan", "web-sign", "web-attest-sbom"],
        {},
    ),
}
STEPS = {"sbom": "sbom", "scan": "scan", "sign": "sign", "attach": "attest", "verify": "verify", "generate": "sbom"}


def urn(name: str) -> str:
    return f"urn:pulumi:dev::shop::sc-secure:index:SecuredImage$command:local:Command::{name}"


def command(name: str, subject: str = SUBJECT, **changes: Any) -> dict[str, Any]:
    """A step's command, as the state has it."""
    words_of, flags, needs, outputs = CHAIN[name]
    text = shlex.join([".sc/bin/sc-secure", *words_of.split(), "--image", subject, *flags, "--output", "json"])
    result = StepResult(
        step=STEPS[words_of.split()[1]],
        subject=subject,
        status="passed",
        outputs=outputs,
        started_at=BEGAN,
        finished_at=BEGAN + timedelta(seconds=1),
    )
    return {
        "urn": urn(name),
        "type": "command:local:Command",
        "inputs": {"create": text},
        "outputs": {"create": text, "stdout": result.to_line()},
        "dependencies": ["urn:pulumi:dev::shop::docker:index/image:Image::web-image", *map(urn, needs)],
    } | changes


def component(**outputs: Any) -> dict[str, Any]:
    said = {"deployableRef": SUBJECT, "status": "secured"} | outputs
    return {"urn": "urn:x::web", "type": "sc-secure:index:SecuredImage", "outputs": said}


def state(*resources: Any) -> dict[str, Any]:
    return {"version": 3, "deployment": {"manifest": {}, "resources": list(resources)}}


def only(*resources: Any) -> Recorded:
    (found,) = images(state(*resources))
    return found


def whole() -> list[dict[str, Any]]:
    return [component(), *map(command, CHAIN)]


def test_a_secured_image() -> None:
    found = only(*whole())
    assert (found.subject, found.verdict) == (SUBJECT, "secured")
    assert {step.name: step.needs for step in found.steps} == {
        "sbom": [],
        "scan": ["sbom"],
        "sign": ["scan"],
        "attest-sbom": ["sign"],
        "verify": ["attest-sbom"],
    }
    release = build(found.subject, found.steps, verdict=found.verdict, signer=found.signer)
    assert [each.kind for each in release.attachments] == ["signature", "https://cyclonedx.org/bom"]
    assert release.scan
    assert release.scan.counts["high"] == 2
    assert "cosign verify --key cosign.pub" in words.by_hand(release)[0].command


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({"status": "degraded"}, "degraded"),
        ({"status": "unsecured"}, "incomplete"),
        ({"deployableRef": SUBJECT.replace("aaa", "bbb")}, "incomplete"),
        ({"deployableRef": None}, "incomplete"),
    ],
)
def test_what_the_component_doesn_t_say_isn_t_claimed(said: dict[str, Any], verdict: str) -> None:
    assert only(component(**said), command("web-scan")).verdict == verdict
    assert only(command("web-scan")).verdict == "incomplete"


def test_the_steps_own_order_whatever_the_state_s() -> None:
    assert only(*whole()[::-1]).steps == only(*whole()).steps


def test_several_images() -> None:
    other = SUBJECT.replace("team/app", "team/other")
    found = images(state(*whole(), command("web-sbom", other), command("web-scan", other)))
    assert [(each.subject, len(each.steps)) for each in found] == [(SUBJECT, 5), (other, 2)]


def test_a_service_that_verifies_for_itself() -> None:
    service = command("web-verify", urn=urn("service-verify"), dependencies=list(map(urn, CHAIN)))
    steps = only(service, *whole()).steps
    assert [step.name for step in steps][-2:] == ["verify", "verify (service-verify)"]
    assert steps[-1].needs == ["verify"]


def test_what_isn_t_a_step_s_result() -> None:
    others = [
        command("web-scan", delete=True),
        command("web-scan", type="command:remote:CopyToRemote"),
        command("web-scan", inputs={"create": "echo image scan"}),
        command("web-scan", inputs={"create": "sc-secure 'image"}),
        command("web-scan", inputs={"create": {"4dabf18193072939515e22adb298388d": "secret"}}),
        command("web-scan", outputs={"stdout": "{}"}),
        command("web-scan", outputs={"stdout": None}),
        command("web-scan", outputs=None),
        "rubbish",
    ]
    assert images(state(*others)) == []
    assert images(state()) == []


@pytest.mark.parametrize("wrong", [None, [], {}, {"deployment": None}, {"deployment": {"resources": {}}}])
def test_what_is_no_state(wrong: object) -> None:
    with pytest.raises(ValueError, match="not a stack's state"):
        images(wrong)


def test_who_must_have_signed() -> None:
    without = only(*whole()[:-1]).signer
    assert without
    assert (without.key, without.private) == ("cosign.key", True), "the signing key, whose public half is to be taken"
    flags = ["--certificate-identity-regexp", "https://github.com/acme/.*", "--certificate-oidc-issuer", "https://i"]
    text = shlex.join([".sc/bin/sc-secure", "image", "verify", "--image", SUBJECT, *flags])
    signer = only(command("web-verify", inputs={"create": text})).signer
    assert signer
    assert (signer.key, signer.identity_regexp, signer.oidc_issuer) == ("", "https://github.com/acme/.*", "https://i")
    assert signer.transparency_log
    assert only(command("web-sbom")).signer is None


def test_a_command_on_a_build_host_is_a_step_too() -> None:
    here = command("web-scan")
    text = here["inputs"]["create"].replace(".sc/bin/sc-secure", "mkdir -p -- x && cd -- x || exit 6\nexec sc-secure")
    there = command("web-scan", type="command:remote:Command", inputs={"create": text})
    assert images(state(there)) == images(state(here))
