"""Secrets stay where they belong: planted in every place that takes one, and looked for in all that a run leaves.

The one exception is the design's: the docker provider has to be given the registry's password, which Pulumi keeps
encrypted in that one resource's state.
"""

import base64
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.secured_project import SECURITY, SecuredProject
from tests.plugins.basic_auth import PASSWORD, USERNAME, locked
from tests.waiting import wait_until

pytestmark = pytest.mark.engine
NewProject = Callable[..., SecuredProject]

KEY_PASSWORD, REMOTE, BUILD_ARG = "key-s3ntinel-9f1", "remote-s3ntinel-9f2", "buildarg-s3ntinel-9f3"
# The registry's password three ways, one for each update: a plain string, a Pulumi secret, and an output.
PROGRAM = f"""
import os
import pulumi
from sc_secure import SecuredImage

config = pulumi.Config()
{SECURITY}
ways = {{
    "plain": lambda: os.environ["REGISTRY_PASSWORD"],
    "secret": lambda: pulumi.Output.secret(os.environ["REGISTRY_PASSWORD"]),
    "output": lambda: pulumi.Output.from_input(os.environ["REGISTRY_PASSWORD"]).apply(lambda value: value),
}}
image = SecuredImage("app", {{
    "image_name": config.require("registry") + "/app:1",
    "build": {{"context": "app", "args": {{"TOKEN": pulumi.Output.secret(os.environ["BUILD_TOKEN"])}}}},
    "registry": {{
        "server": config.require("door"), "username": "{USERNAME}", "password": ways[config.require("way")](),
    }},
    "security": security,
}})
pulumi.export("deployable_ref", image.deployable_ref)
"""


def sentinels() -> list[str]:
    """Each secret as it is, and as a login would carry it."""
    plain = [PASSWORD, KEY_PASSWORD, REMOTE, BUILD_ARG]
    login = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    return [*plain, *(base64.b64encode(each.encode()).decode() for each in plain), login]


def found(text: str) -> list[str]:
    return [each for each in sentinels() if each in text]


@contextmanager
def watched() -> Iterator[set[str]]:
    """The command line of every process that is seen while the context lasts, but for this one's."""
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.01):
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit() and int(entry.name) != os.getpid():
                    try:
                        seen.add((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
                    except OSError:
                        continue

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


@pytest.fixture
def project(new_project: NewProject, registry: str, tmp_path: Path) -> Iterator[SecuredProject]:
    """Everything that takes a secret has one."""
    with locked(registry) as door:
        made = new_project(PROGRAM)
        made.environment |= {"SIGNING_PASSWORD": KEY_PASSWORD, "REGISTRY_PASSWORD": PASSWORD, "BUILD_TOKEN": BUILD_ARG}
        made.configure("door", door)
        made.configure("registry", f"{door}/{made.registry.partition('/')[2]}")
        made.configure("way", "plain")
        # Nobody else on the machine has the registry's password: the steps get it from the program.
        made.environment["DOCKER_CONFIG"] = str(tmp_path / "none")
        for name in ("cosign.key", "cosign.pub"):
            (made.folder / name).unlink()
        keys = ["cosign", "generate-key-pair", "--output-key-prefix", "cosign"]
        env = {**made.environment, "COSIGN_PASSWORD": KEY_PASSWORD}
        subprocess.run(keys, cwd=made.folder, env=env, check=True, capture_output=True)
        for words in (
            ["init", "-q"],
            ["remote", "add", "origin", f"https://bot:{REMOTE}@git.example/acme/shop.git"],
            ["add", "app"],
            ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"],
        ):
            subprocess.run(["git", *words], cwd=made.folder, check=True, capture_output=True)
        yield made


def test_none_is_left_anywhere(project: SecuredProject) -> None:
    texts: dict[str, str] = {}
    with watched() as commands:
        first = project.up("-v=9", "--logtostderr")
        assert first.code == 0, first.text[-3000:]
        texts |= {"up": first.text, "events of the first": project.events()}
        texts["preview"] = project.preview("--diff").text
        for way in ("secret", "output"):
            project.configure("way", way)
            again = project.up("--diff")
            assert again.code == 0, again.text
            assert set(again.steps.values()) == {"same"}, "another way to give it is no change"
            texts[way] = again.text + project.events()
        project.configure("failOn", "high")
        failing = project.up()
        assert failing.code != 0
        texts["failing up"] = failing.text + project.events()
        project.configure("failOn", "critical")
        texts["refresh"] = project.refresh().text + project.events()
        state = json.loads(project.export("--show-secrets"))["deployment"]["resources"]
        texts["destroy"] = project.destroy().text + project.events()
    assert "--registry-config .sc/run/dev/SecuredImage-app.json" in json.dumps(state)
    wait_until(lambda: [each.name for each in (project.folder / ".sc" / "run").iterdir()] == [".gitignore"])
    for name, text in texts.items():
        assert not found(text), f"{name}: {found(text)}"
    steps = [each for each in state if each["type"] != "docker:index/image:Image"]
    assert len(steps) > 14
    assert not found(json.dumps(steps))
    assert len([text for text in commands if "cosign" in text]) > 3, "it looked"
    assert not [text for text in commands if found(text)]
    # git's own configuration holds what the test wrote there; nothing else does.
    files = [file for file in project.folder.rglob("*") if file.is_file()]
    names = {str(file.relative_to(project.folder)) for file in files if found(file.read_text(errors="replace"))}
    assert names == {".git/config"}
