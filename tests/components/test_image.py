"""What `SecuredImage` declares, and when its gate opens."""

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc

from sc_secure import SecuredImage
from sc_secure.components._validate import InvalidArgs
from tests.components.mocked import REFERENCE, Mocks, result_for, run

BUILD: dict[str, Any] = {"context": "app", "dockerfile": "app/Dockerfile", "platform": "linux/amd64"}
SECURITY: dict[str, Any] = {
    "scan": {"fail_on": "high", "warn_on": "medium", "only_fixed": True},
    "sbom": {"format": "spdx-json"},
    "signing": {"key": "cosign.key", "password_env": "SIGNING_PASSWORD"},
    "provenance": {"builder_id": "https://ci.example/builder", "include_git": False},
}
KEY = "--key cosign.key --password-env SIGNING_PASSWORD --no-transparency-log --output json"


def secured(**changes: Any) -> SecuredImage:
    args: dict[str, Any] = {"image_name": "registry.example/team/app:1", "build": BUILD, "security": SECURITY}
    return SecuredImage("app", {key: value for key, value in (args | changes).items() if value is not None})  # type: ignore[arg-type]


def test_every_step_is_a_command_that_a_person_can_run() -> None:
    mocks = Mocks()
    run(lambda: secured().deployable_ref, mocks)
    sc = ".sc/bin/sc-secure"
    assert mocks.commands() == {
        "app-sbom": f"{sc} sbom generate --image {REFERENCE} --format spdx-json --output json",
        "app-scan": f"{sc} image scan --image {REFERENCE} --fail-on high --warn-on medium --only-fixed --output json",
        "app-sign": f"{sc} image sign --image {REFERENCE} {KEY}",
        "app-attest-sbom": f"{sc} sbom attach --image {REFERENCE} --format spdx-json {KEY}",
        "app-attest-provenance": (
            f"{sc} provenance attach --image {REFERENCE} --builder-id https://ci.example/builder --no-include-git"
            f" --context app --dockerfile app/Dockerfile --platform linux/amd64 {KEY}"
        ),
        "app-attest-scan": f"{sc} scan attach --image {REFERENCE} {KEY}",
        "app-verify": (
            f"{sc} image verify --image {REFERENCE} --key cosign.key --password-env SIGNING_PASSWORD"
            " --no-transparency-log --attestation spdx --attestation slsaprovenance1 --attestation vuln --output json"
        ),
    }


def test_commands_use_nothing_of_the_plugin_that_hangs_or_replaces() -> None:
    mocks = Mocks()
    run(lambda: secured().deployable_ref, mocks)
    for key, (_, inputs) in mocks.resources.items():
        if key.startswith("command:"):
            assert set(inputs) == {"create", "environment", "logging", "addPreviousOutputInEnv"}
            assert inputs["logging"] == "none"
            assert inputs["addPreviousOutputInEnv"] is False


def test_outputs_of_a_secured_image() -> None:
    image_outputs = run(
        lambda: pulumi.Output.all(
            **{
                key: getattr(image, key)
                for image in [secured()]
                for key in ("image_ref", "digest", "deployable_ref", "status", "warnings", "rekor_uuid", "sbom_path")
            }
        ),
        Mocks(),
    )
    assert image_outputs == {
        "image_ref": REFERENCE,
        "digest": REFERENCE.split("@")[1],
        "deployable_ref": REFERENCE,
        "status": "secured",
        "warnings": [],
        "rekor_uuid": "",
        "sbom_path": ".sc/artifacts/x/sbom.json",
    }


@pytest.mark.parametrize(
    "security", [None, {"enabled": False}, SECURITY | {"enabled": False}], ids=["absent", "off", "off, but described"]
)
def test_security_off_is_a_plain_build_and_push(security: dict[str, Any] | None) -> None:
    mocks = Mocks()
    image: list[SecuredImage] = []

    def program() -> pulumi.Output[Any]:
        image.append(secured(security=security))
        return pulumi.Output.all(image[0].deployable_ref, image[0].status)

    assert run(program, mocks) == [REFERENCE, "unsecured"]
    assert mocks.commands() == {}
    assert "docker:index/image:Image::app-image" in mocks.resources


def test_an_image_that_exists_is_not_built() -> None:
    mocks = Mocks()
    ref = REFERENCE.replace("@", ":1.2@")
    got = run(lambda: secured(image_ref=ref, build=None, image_name=None).deployable_ref, mocks)
    assert got == REFERENCE  # the tag says nothing, and is dropped
    assert "docker:index/image:Image::app-image" not in mocks.resources
    assert "--context" not in mocks.commands()["app-attest-provenance"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "printed no step result"),
        ("", "printed no step result"),
        ("{}", "printed no step result"),
        ("all good!", "printed no step result"),
        (result_for(f"x image scan --image {REFERENCE.replace('app@', 'other@')}"), "is about"),
    ],
)
@pytest.mark.parametrize("step", ["app-scan", "app-verify"])
def test_the_gate_stays_closed_without_a_result_about_this_image(step: str, answer: str | None, said: str) -> None:
    with pytest.raises(Exception, match=said):
        run(lambda: secured().deployable_ref, Mocks({step: answer}))


def test_nothing_is_signed_when_the_scan_has_no_result() -> None:
    mocks = Mocks({"app-scan": ""})
    with pytest.raises(pulumi.RunError, match="app-scan"):
        run(lambda: secured().deployable_ref, mocks)
    assert not {"app-sign", "app-attest-sbom", "app-verify"} & {n for n, text in mocks.commands().items() if text}


def test_nothing_is_verified_before_all_is_attested() -> None:
    mocks = Mocks({"app-attest-scan": ""})
    with pytest.raises(pulumi.RunError, match="app-attest-scan"):
        run(lambda: secured().deployable_ref, mocks)
    assert not mocks.commands().get("app-verify")


def test_an_update_that_leaves_a_step_out_opens_no_gate() -> None:
    """With `--target`, a step that isn't among the targets has no result, and its outputs are unknown."""
    assert run(lambda: secured().deployable_ref, Mocks({"app-verify": rpc.UNKNOWN})) is None


def test_preview_passes_a_known_digest_on_when_a_step_will_run_again() -> None:
    mocks = Mocks({"app-scan": rpc.UNKNOWN})
    assert run(lambda: secured().deployable_ref, mocks, preview=True) == REFERENCE
    assert mocks.commands()["app-verify"].startswith(".sc/bin/sc-secure image verify")


def test_each_step_waits_for_the_one_before() -> None:
    waits: dict[str, set[str]] = {}

    async def names(output: pulumi.Output[Any]) -> set[str]:
        return {resource._name for resource in await output.resources()}

    def program() -> pulumi.Output[Any]:
        image = secured()

        async def collect() -> None:
            waits["deployable_ref"] = await names(image.deployable_ref)
            waits["image_ref"] = await names(image.image_ref)

        return image.deployable_ref.apply(lambda _: collect())

    run(program, Mocks())
    steps = {"sbom", "scan", "sign", "attest-sbom", "attest-provenance", "attest-scan", "verify"}
    assert waits["deployable_ref"] == {"app-image"} | {f"app-{step}" for step in steps}
    assert waits["image_ref"] == {"app-image"}


def test_the_launcher_calls_this_package_and_holds_no_more(project: Path) -> None:
    run(lambda: secured().deployable_ref, Mocks())
    launcher = project / ".sc/bin/sc-secure"
    assert os.access(launcher, os.X_OK)
    assert shlex.split(launcher.read_text().splitlines()[-1])[-2:] == [
        str(Path(__file__).parents[2] / "sc_secure/__main__.py"),
        "$@",
    ]
    assert (project / ".sc/bin/.gitignore").read_text() == "*\n"


def test_paths_inside_the_project_become_relative(project: Path) -> None:
    mocks = Mocks()
    signing = {"key": str(project / "keys/cosign.key")}
    build = {"context": str(project / "app"), "dockerfile": str(project / "app/Dockerfile")}
    run(lambda: secured(build=build, security={"signing": signing, "provenance": {}}).deployable_ref, mocks)
    assert "--key keys/cosign.key" in mocks.commands()["app-sign"]
    assert str(project) not in "".join(mocks.commands().values())
    assert mocks.resources["docker:index/image:Image::app-image"][1]["build"]["context"] == "app"


def test_two_images_cannot_keep_their_documents_in_one_file() -> None:
    security: dict[str, Any] = {"sbom": {"format": "cyclonedx-json", "output": {"local": "sbom.json"}}}
    recorder = Mocks()

    def program(second: str) -> Any:
        SecuredImage("one", {"image_ref": REFERENCE, "security": security})  # type: ignore[typeddict-item]
        other = security | {"sbom": {"output": {"local": second}}}
        return SecuredImage("two", {"image_ref": REFERENCE, "security": other}).deployable_ref  # type: ignore[typeddict-item]

    assert run(lambda: program("other.json"), Mocks()) == REFERENCE
    with pytest.raises(InvalidArgs, match=r"security\.sbom\.output\.local: another step") as refused:
        run(lambda: program("./sbom.json"), recorder)
    assert len(refused.value.problems) == 1
    assert "sc-secure:index:SecuredImage::two" not in recorder.resources
    assert run(lambda: program("other.json"), Mocks()) == REFERENCE, "each program for itself"


def test_how_many_work_at_once_is_in_the_launcher_and_in_no_command(project: Path) -> None:
    def program() -> Any:
        return secured().deployable_ref

    without, bounded = Mocks(), Mocks()
    try:
        assert run(program, without) == REFERENCE
        pulumi.runtime.set_all_config({"sc-secure:maxParallel": "3"})
        assert run(program, bounded) == REFERENCE
        launcher = project / ".sc/bin/sc-secure"
        assert _bound_of(launcher, {}) == "3"
        assert _bound_of(launcher, {"SC_SECURE_MAX_PARALLEL": "7"}) == "7", "the machine's own word counts"
        for said in ("0", "many", "1025"):
            pulumi.runtime.set_all_config({"sc-secure:maxParallel": said})
            with pytest.raises(pulumi.RunError, match="sc-secure:maxParallel"):
                run(program, Mocks())
    finally:
        pulumi.runtime.set_all_config({})
    assert bounded.resources == without.resources


def _bound_of(launcher: Path, environment: dict[str, str]) -> str:
    """What the launcher hands on, by one that runs `printenv` in the place of this package."""
    *head, last = launcher.read_text().splitlines()
    assert last.startswith("exec ")
    script = "\n".join([*head, "exec printenv SC_SECURE_MAX_PARALLEL"])
    env = environment | {"PATH": os.defpath}
    return subprocess.run(["/bin/sh", "-c", script], env=env, capture_output=True, text=True, check=True).stdout.strip()
