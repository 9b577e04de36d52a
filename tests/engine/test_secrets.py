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
from tests.project import Run
from tests.waiting import wait_until

pytestmark = pytest.mark.engine
NewProject = Callable[..., SecuredProject]

KEY_PASSWORD, REMOTE, BUILD_ARG = "key-s3ntinel-9f1", "remote-s3ntinel-9f2", "buildarg-s3ntinel-9f3"
OIDC = "oidc-s3ntinel-9f4"
LATER = "later-s3ntinel-9f5"
"""What each is rotated to."""
LOUD = ("-v=9", "--logtostderr")
KEYLESS = {"keyless": True, "verify": {"identity_regexp": "^https://ci.example/", "oidc_issuer": "https://ci.example"}}
# The registry's password in several ways, one for each update: a plain string, a Pulumi secret, an output, and in a
# whole registry that is one of these.
PROGRAM = f"""
import os
import pulumi
from sc_secure import SecuredImage

config = pulumi.Config()
{SECURITY}
if config.get_bool("keyless"):
    security["signing"] = {KEYLESS}
def output(value):
    return pulumi.Output.from_input(value).apply(lambda known: known)

def login(password):
    return {{"server": config.require("door"), "username": "{USERNAME}", "password": password}}

password = os.environ["REGISTRY_PASSWORD"]
ways = {{
    "plain": lambda: login(password),
    "secret": lambda: login(pulumi.Output.secret(password)),
    "output": lambda: login(output(password)),
    "whole-secret": lambda: pulumi.Output.secret(login(password)),
    "whole-output": lambda: output(login(password)),
}}
image = SecuredImage("app", {{
    "image_name": config.require("registry") + "/app:1",
    "build": {{"context": "app", "args": {{"TOKEN": pulumi.Output.secret(os.environ["BUILD_TOKEN"])}}}},
    "registry": ways[config.require("way")](),
    "security": security,
}})
pulumi.export("deployable_ref", image.deployable_ref)
"""


def sentinels() -> list[str]:
    """Each secret as it is, and as a login would carry it."""
    plain = [PASSWORD, KEY_PASSWORD, REMOTE, BUILD_ARG, OIDC, LATER]
    logins = [f"{USERNAME}:{PASSWORD}", f"{USERNAME}:{LATER}"]
    return [*plain, *(base64.b64encode(each.encode()).decode() for each in (*plain, *logins))]


def spent_token() -> str:
    """A token of the right form that has run out, so that it is refused and told of."""
    parts = {"alg": "RS256"}, {"iss": "https://ci.example", "aud": "sigstore", "exp": 1, "jti": OIDC}, OIDC
    texts = (part if isinstance(part, str) else json.dumps(part) for part in parts)
    return ".".join(base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") for text in texts)


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
        made.environment |= {"SIGSTORE_ID_TOKEN": spent_token()}
        made.environment |= {"TMPDIR": str(tmp_path / "tmp"), "SC_SECURE_CACHE": str(tmp_path / "cache")}
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
        for name in ("tmp", "cache"):
            (tmp_path / name).mkdir()
        yield made


def rotate(project: SecuredProject) -> None:
    """Other values for what isn't part of the image."""
    project.environment |= {"SIGNING_PASSWORD": LATER, "REGISTRY_PASSWORD": LATER, "SIGSTORE_ID_TOKEN": LATER}
    # Not by git's command: what is looked for in every command line would stand in the test's own.
    configuration = project.folder / ".git/config"
    configuration.write_text(configuration.read_text().replace(REMOTE, LATER))


def test_none_is_left_anywhere(project: SecuredProject, tmp_path: Path) -> None:
    texts: dict[str, str] = {}

    def run(name: str, done: Run, *, fails: bool = False) -> Run:
        assert (done.code != 0) == fails, done.text[-3000:]
        texts[name] = done.text + project.events()
        return done

    with watched() as commands:
        run("up", project.up(*LOUD))
        run("preview", project.preview("--diff", *LOUD))
        for way in ("secret", "output", "whole-output", "whole-secret"):
            project.configure("way", way)
            again = run(way, project.up("--diff"))
            assert set(again.steps.values()) == {"same"}, "another way to give it is no change"
        project.configure("failOn", "high")
        run("failing up", project.up(*LOUD), fails=True)
        project.configure("failOn", "critical")
        project.configure("keyless", "true")
        spent = run("up with a spent token", project.up(*LOUD), fails=True)
        assert "1970-01-01" in spent.text, "the token was read, and why it won't do is told"
        project.configure("keyless", "false")
        run("up again", project.up())
        rotate(project)
        for name, done in (("rotated, preview", project.preview("--diff")), ("rotated, up", project.up("--diff"))):
            assert set(run(name, done).steps.values()) == {"same"}
        run("refresh", project.refresh(*LOUD))
        state = json.loads(project.export("--show-secrets"))["deployment"]["resources"]
        run("destroy", project.destroy(*LOUD))
    assert "--registry-config .sc/run/dev/SecuredImage-app.json" in json.dumps(state)
    wait_until(lambda: [each.name for each in (project.folder / ".sc" / "run").iterdir()] == [".gitignore"])
    for name, text in texts.items():
        assert not found(text), f"{name}: {found(text)}"
    steps = [each for each in state if each["type"] != "docker:index/image:Image"]
    assert len(steps) > 14
    assert not found(json.dumps(steps))
    assert len([text for text in commands if "cosign" in text]) > 3, "it looked"
    assert not [text for text in commands if found(text)]
    # git's own configuration holds what the test wrote there; nothing else does: not the state's folder, the temporary
    # one, or the cache.
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    names = {str(file.relative_to(tmp_path)) for file in files if found(file.read_text(errors="replace"))}
    assert names == {str((project.folder / ".git/config").relative_to(tmp_path))}
    assert any(file.is_relative_to(tmp_path / "cache") for file in files)
