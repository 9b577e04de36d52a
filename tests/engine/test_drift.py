"""What is gone from the registry, on the real engine: only what is really gone is made again, and only if the policy
says so. Between the engine and the registry is a proxy that fails as it is told.
"""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.conftest import NewProject
from tests.engine.secured_project import SecuredProject
from tests.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from tests.images import CLEAN, attachments, push_image

pytestmark = pytest.mark.engine

PROGRAM = """
import json
import pulumi
from sc_secure import SecuredImage

with open("trial.json") as file:
    trial = json.load(file)
for name, reference in trial["images"].items():
    image = SecuredImage(name, {"image_ref": reference, "security": {
        "sbom": {},
        "signing": {"key": "cosign.key", "password_env": "SIGNING_PASSWORD"},
        "drift": trial["drift"],
    }})
    pulumi.export(name, image.deployable_ref)
"""
EVERY_STEP = {"app-sign", "app-attest-sbom", "app-verify"}
UNKNOWN = "what is still attached isn't known, so nothing is done again for it: "
INDEX = "application/vnd.oci.image.index.v1+json"


class Trial:
    """Two images, `app` and `other`, and what is attached to `app`."""

    def __init__(self, project: SecuredProject, proxy: FaultyProxy) -> None:
        self.project, self.proxy = project, proxy
        host = proxy.url.removeprefix("http://").rstrip("/")
        self._repository = project.registry.replace(project.registry.partition("/")[0], host)
        self._images = {name: self._push(name) for name in ("app", "other")}
        self.drift("heal")
        run = project.up()
        assert run.code == 0, run.text
        self.index = self._index()

    def _push(self, name: str) -> str:
        return push_image(self.project.environment, self.project.folder, f"{self._repository}/{name}", CLEAN)

    def drift(self, mode: str) -> None:
        self.project.write("trial.json", {"images": self._images, "drift": mode})

    @property
    def app(self) -> str:
        return self._images["app"]

    def attached(self) -> int:
        return len(attachments(self.app))

    def _tag(self) -> str:
        repository, digest = self.app.split("@")
        return f"{repository}:{digest.replace(':', '-')}"

    def _index(self) -> dict[str, Any]:
        return json.loads(self.project.run("crane", "manifest", self._tag()).stdout)

    def only(self, kept: list[dict[str, Any]]) -> None:
        """Lets only these be attached to `app`."""
        host, _, name = self._tag().partition("/")
        repository, _, tag = name.rpartition(":")
        content = json.dumps({**self.index, "manifests": kept}).encode()
        url = f"http://{host}/v2/{repository}/manifests/{tag}"
        request = urllib.request.Request(url, content, {"Content-Type": INDEX}, method="PUT")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            assert answer.status == 201

    def digest(self, step: str) -> str:
        """What a step attached, by its result in the state."""
        outputs = json.loads(self.project.outputs(step)["stdout"])["outputs"]
        return outputs.get("signatureDigest") or outputs["attestationDigest"]

    def without(self, step: str) -> None:
        """Lets what one step attached be gone, and nothing else."""
        gone = self.digest(step)
        kept = [each for each in self.index["manifests"] if each["digest"] != gone]
        assert len(kept) == len(self.index["manifests"]) - 1
        self.only(kept)

    def remove(self, reference: str) -> None:
        done = self.project.run("crane", "delete", reference)
        assert done.returncode == 0, done.stderr

    def without_all(self) -> None:
        self.remove(self._tag())

    def preview(self, fault: Fault = "pass") -> tuple[set[str], list[str]]:
        """The steps that a preview would run again, and what it says of the registry."""
        self.proxy.fail(then=fault)
        run = self.project.preview()
        self.proxy.fail()
        assert run.code == 0, run.text
        said = [each["message"].strip() for each in run.messages if each["severity"] in ("info", "warning")]
        return changed(run.steps), sorted(line for line in said if "registry" in line or UNKNOWN in line)


def changed(steps: dict[str, str]) -> set[str]:
    assert set(steps.values()) <= {"same", "update"}
    return {name for name, op in steps.items() if op == "update"}


@pytest.fixture
def trial(new_project: NewProject) -> Iterator[Trial]:
    project = new_project(PROGRAM)
    with faulty_proxy(f"http://{project.registry.partition('/')[0]}/") as proxy:
        yield Trial(project, proxy)


def test_only_what_is_gone_is_made_again(trial: Trial) -> None:
    assert trial.preview() == (set(), [])
    check_a_registry_that_does_not_answer(trial)
    trial.without("app-sign")
    assert trial.preview()[0] == {"app-sign", "app-verify"}
    trial.without("app-attest-sbom")
    steps, said = trial.preview()
    assert steps == {"app-attest-sbom", "app-verify"}
    assert said[0] == "app-attest-sbom runs again: gone from the registry: https://cyclonedx.org/bom"
    trial.without_all()
    assert trial.preview()[0] == EVERY_STEP
    check_modes(trial)
    check_one_target_alone(trial)
    check_the_image_is_gone_too(trial)


def check_a_registry_that_does_not_answer(trial: Trial) -> None:
    """Nothing is done again, and it is said once, for both images and all their steps."""
    expected: dict[Fault, str] = {
        401: "HTTP 401",
        403: "HTTP 403",
        500: "HTTP 500",
        "cut": "",
        "hang": "didn't answer within 5 s",
    }
    for fault, reason in expected.items():
        steps, said = trial.preview(fault)
        assert steps == set(), fault
        assert len(said) == 1, said
        assert said[0].startswith(UNKNOWN), said
        assert reason in said[0], said


def check_modes(trial: Trial) -> None:
    """Everything is gone: `warn` says it, and `off` doesn't look."""
    trial.drift("warn")
    steps, said = trial.preview()
    assert steps == set()
    assert said == [
        f"gone from the registry: {what} (drift: warn)"
        for what in ("https://cyclonedx.org/bom", "signature", "signature, https://cyclonedx.org/bom")
    ]
    trial.drift("off")
    asked = trial.proxy.asked
    assert trial.preview() == (set(), [])
    assert trial.proxy.asked == asked
    trial.drift("heal")


def check_one_target_alone(trial: Trial) -> None:
    [target] = [each["urn"] for name, each in trial.project.resources().items() if name == "app-sign"]
    run = trial.project.up("--target", target)
    assert run.code == 0, run.text
    assert changed(run.steps) == {"app-sign"}
    assert trial.attached() == 1
    assert trial.preview()[0] == {"app-attest-sbom", "app-verify"}
    run = trial.project.up()
    assert run.code == 0, run.text
    assert changed(run.steps) == {"app-attest-sbom", "app-verify"}
    assert trial.attached() == 2
    assert trial.preview() == (set(), [])


def check_the_image_is_gone_too(trial: Trial) -> None:
    """There is nothing to attach to: it is said, and left to who pushes the image."""
    trial.without_all()
    trial.remove(trial.app)
    steps, said = trial.preview()
    assert steps == set()
    assert len(said) == 1
    assert said[0].startswith(UNKNOWN)
    assert "isn't in its registry" in said[0]
