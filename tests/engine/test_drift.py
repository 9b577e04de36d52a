"""What is gone from the registry, on the real engine: only what is really gone is made again, and only if the policy
says so. Between the engine and the registry is a proxy that fails as it is told.
"""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import NewProject
from tests.engine.secured_project import SecuredProject
from tests.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from tests.images import CLEAN, attachments, push_image
from tests.plugins.basic_auth import PASSWORD, USERNAME, locked
from tests.waiting import wait_until

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
    check_a_look_that_fails(trial)
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


def check_a_look_that_fails(trial: Trial) -> None:
    """Such as without a folder for temporary files. The preview doesn't fail over it."""
    trial.project.environment["TMPDIR"] = str(trial.project.folder / "cosign.key/none")
    assert trial.preview() == (set(), [f"{UNKNOWN}`sc-secure image status` failed with exit code 6"])
    del trial.project.environment["TMPDIR"]


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


HOLDING = f"""
import os
import pulumi
from sc_secure import SecuredImage

config = pulumi.Config()
for name in ("app", "other"):
    SecuredImage(name, {{
        "image_ref": config.require(f"{{name}}_image"),
        "registry": {{
            "server": config.require("door"), "username": "{USERNAME}",
            "password": pulumi.Output.secret(os.environ["REGISTRY_PASSWORD"]),
        }},
        "security": {{"sbom": {{}}, "signing": {{"key": "cosign.key", "password_env": "SIGNING_PASSWORD"}}}},
    }})
"""
HOLDING_IN_YAML = """
name: trial
runtime: yaml
config:
  door: {type: string}
  app_image: {type: string}
  other_image: {type: string}
  password: {type: string, secret: true}
resources:
"""
for _name in ("app", "other"):
    HOLDING_IN_YAML += f"""
  {_name}:
    type: sc-secure:SecuredImage
    properties:
      imageRef: ${{{_name}_image}}
      registry: {{server: "${{door}}", username: {USERNAME}, password: "${{password}}"}}
      security: {{sbom: {{}}, signing: {{key: cosign.key, passwordEnv: SIGNING_PASSWORD}}}}
"""


@pytest.fixture
def held(new_project: NewProject, tmp_path: Path) -> Iterator["Held"]:
    project = new_project(HOLDING)
    with locked(project.registry.partition("/")[0]) as door:
        yield Held(project, door)
        wait_until(lambda: [each.name for each in (project.folder / ".sc" / "run").iterdir()] == [".gitignore"])


class Held:
    """Two images in a registry that wants a login, which nobody on the machine has but the program."""

    def __init__(self, project: SecuredProject, door: str) -> None:
        self.project, self._tags = project, dict[str, str]()
        repository = project.registry.partition("/")[2]
        project.configure("door", door)
        for name in ("app", "other"):
            image = push_image(project.environment, project.folder, f"{project.registry}/{name}", CLEAN)
            digest = image.rpartition("@")[2]
            project.configure(f"{name}_image", f"{door}/{repository}/{name}@{digest}")
            self._tags[name] = f"{project.registry}/{name}:{digest.replace(':', '-')}"
        project.environment |= {"DOCKER_CONFIG": str(project.folder / "none"), "REGISTRY_PASSWORD": PASSWORD}

    def up(self) -> set[str]:
        run = self.project.up()
        assert run.code == 0, run.text
        return {name for name, op in run.steps.items() if op != "same"}

    def lose(self, name: str) -> None:
        done = self.project.run("crane", "delete", self._tags[name])
        assert done.returncode == 0, done.stderr

    def preview(self) -> tuple[set[str], list[str]]:
        """The steps that a preview would run again, and what it says that it doesn't know."""
        run = self.project.preview()
        assert run.code == 0, run.text
        assert PASSWORD not in run.text
        assert set(run.steps.values()) <= {"same", "update"}, run.text
        said = [each["message"].strip() for each in run.messages if each["severity"] in ("info", "warning")]
        return changed(run.steps), [line for line in said if "known" in line]

    def drift(self, *flags: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        launcher = str(self.project.folder / ".sc/bin/sc-secure")
        return self.project.run(launcher, "drift", "--stack", "dev", *flags, **environment)


def test_credentials_that_only_the_program_holds(held: Held) -> None:
    held.up()
    assert held.preview() == (set(), [])
    held.lose("app")
    assert held.preview() == (EVERY_STEP, [])
    assert held.up() == EVERY_STEP
    assert held.preview() == (set(), [])
    held.project.environment["REGISTRY_PASSWORD"] = "an old one"
    steps, said = held.preview()
    assert steps == set()
    assert len(said) == 1
    assert said[0].startswith(UNKNOWN)
    assert "HTTP 401" in said[0]


def test_credentials_that_only_a_program_in_another_language_holds(held: Held, plugin: Path) -> None:
    project = held.project
    project.environment["PATH"] = f"{plugin}:{project.environment['PATH']}"
    (project.folder / "__main__.py").unlink()
    project.write("Pulumi.yaml", HOLDING_IN_YAML)
    project._pulumi("config", "set", "--secret", "password", PASSWORD, "--stack", "dev")
    held.up()
    held.lose("other")
    assert held.preview() == ({step.replace("app", "other") for step in EVERY_STEP}, [])
    project._pulumi("config", "set", "--secret", "password", "an old one", "--stack", "dev")
    steps, said = held.preview()
    assert (steps, len(said)) == (set(), 1), "one look, and one line, for both components"
    # Without the program nobody knows, unless told where else the credentials are.
    assert "unknown: " in held.drift().stdout
    flags = ("--registry-username-env", "NAME", "--registry-password-env", "PASSWORD")
    told = held.drift(*flags, NAME=USERNAME, PASSWORD=PASSWORD)
    assert told.returncode == 4, told.stderr
    assert told.stdout.count("  gone: ") == 2
    assert PASSWORD not in told.stdout + told.stderr
