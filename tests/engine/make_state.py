"""Makes `fixtures/state-<version>.json`: the state that this version leaves, for later ones to read. Once a release:

    make test PYTEST_ARGS="tests/engine/make_state.py"

It's a real update against the registry on loopback. In the state, that registry's address then becomes one that never
resolves, so that whoever reads it neither finds a registry there nor learns where this one was.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

from sc_secure import __version__
from tests.engine.secured_project import SecuredProject
from tests.images import VULNERABLE, push_image

FIXTURES = Path(__file__).parent / "fixtures"
REPOSITORY = "registry.invalid/team/app"
PROGRAM = """
import pulumi
from sc_secure import SecuredImage, VerifyCommand

config = pulumi.Config()
image = SecuredImage("app", {
    "image_ref": config.require("imageRef"),
    "security": {
        "scan": {"fail_on": config.get("failOn") or "critical", "warn_on": "medium", "only_fixed": True},
        "sbom": {"format": "cyclonedx-json"},
        "signing": {"key": "cosign.key", "password_env": "SIGNING_PASSWORD", "verify": {"key": "cosign.pub"}},
        "provenance": {"builder_id": "https://ci.example/builder", "include_git": False},
        "retry": {"attempts": 2},
        "timeouts": {"scan": 300},
    },
})
again = VerifyCommand("again", {"image": image.deployable_ref, "key": "cosign.pub"})
pulumi.export("deployable_ref", image.deployable_ref)
pulumi.export("status", image.status)
pulumi.export("attestations", image.attestations)
"""


def test_make_the_state(new_project: Callable[..., SecuredProject]) -> None:
    project = new_project(PROGRAM)
    reference = push_image(project.environment, project.folder, f"{project.registry}/app", VULNERABLE)
    project.configure("imageRef", reference)
    run = project.up()
    assert run.code == 0, run.text
    repository = reference.split("@")[0]
    state = json.loads(project.export().replace(repository, REPOSITORY))
    state["deployment"].pop("secrets_providers", None)  # there is no secret in it
    for resource in state["deployment"]["resources"]:
        for key in ("sourcePosition", "stackTrace"):  # where the program's lines were on this machine
            resource.pop(key, None)
    text = json.dumps(state, indent=1, sort_keys=True) + "\n"
    assert not re.findall(r"127\.0\.0\.1|localhost|project://|/(?:root|home|tmp|usr|var|work|opt)/", text)
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / f"state-{__version__}.json").write_text(text)
