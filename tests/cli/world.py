"""A project and images in the real registry, for a test of any command: made once, and copied for each test."""

import json
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.command_line import start
from tests.faulty_proxy import FaultyProxy, faulty_proxy
from tests.images import VULNERABLE, push_image

OPEN = """security:
  scan: {failOn: critical}
  sbom: {format: cyclonedx-json}
  signing: {key: cosign.key, verify: {key: cosign.pub}}
  provenance: {includeGit: false}
"""


@dataclass(frozen=True)
class Prepared:
    """What all tests begin with."""

    folder: Path
    registry: str
    secured: str
    """An image that went through the whole chain with `open.yaml`."""
    sign: dict
    """The result of signing it."""


def prepare(env: dict[str, str], registry: str, folder: Path) -> Prepared:
    """Keys, policies, an image that went through the chain, and its documents."""
    for name in ("cosign", "other"):
        command = ["cosign", "generate-key-pair", "--output-key-prefix", name]
        subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    policies = {
        "open.yaml": OPEN,
        "closed.yaml": OPEN.replace("critical", "high"),
        "other.yaml": OPEN.replace("verify: {key: cosign.pub}", "verify: {key: other.pub}"),
        "broken.yaml": OPEN.replace("failOn", "failOm"),
        ".sc/stacks/web/client.yaml": OPEN,
        "preview.json": '{"steps": []}',
    }
    for name, text in policies.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    image = push_image(env, folder, f"{registry}/w{uuid.uuid4().hex[:12]}", VULNERABLE)
    _run(env, folder, "release", "create", "--image", image, "--policy", "open.yaml")
    flags = ["--key", "cosign.key", "--no-transparency-log", "--output", "json"]
    signed = json.loads(_run(env, folder, "image", "sign", "--image", image, *flags))
    documents = next((folder / ".sc/artifacts").iterdir())
    foreign = (documents / "sbom.syft.json").read_text().replace(image.partition("@")[2], f"sha256:{'0' * 64}")
    (folder / "foreign.json").write_text(foreign)
    shutil.copy(documents / "scan.json", folder / "scan.json")
    return Prepared(folder, registry, image, signed)


def _run(env: dict[str, str], folder: Path, *words: str) -> str:
    done = start(env, folder, *words)
    stdout, stderr = done.communicate()
    assert done.returncode == 0, stderr
    return stdout


class World:
    """One test's project and images. Made by `world`."""

    def __init__(self, prepared: Prepared, env: dict[str, str], folder: Path, proxies: ExitStack) -> None:
        self._prepared, self._env, self._folder, self._proxies = prepared, env, folder, proxies
        self.proxy: FaultyProxy | None = None
        """In front of the registry, once a test has asked for an image behind it."""
        self.image = ""
        """The image with nothing attached, once a test has asked for it."""

    def fill(self, words: str) -> str:
        """The words with every name in braces filled."""
        names = ("image", "secured", "down", "denied", "lying", "counted")
        for name in names:
            if f"{{{name}}}" in words:
                words = words.replace(f"{{{name}}}", self._reference(name))
        return words

    def write_states(self, words: str) -> None:
        """What `pulumi stack export` prints, for the images that the words need."""
        secured = self._prepared.secured
        for name, subject in (("state", secured), ("gone", secured), ("down", "down"), ("denied", "denied")):
            if f"{name}.json" in words:
                shown = subject if subject == secured else self._reference(subject)
                digest = {"signatureDigest": f"sha256:{'0' * 64}"} if name == "gone" else {}
                outputs = {**self._prepared.sign["outputs"], **digest}
                result = {**self._prepared.sign, "subject": shown, "outputs": outputs}
                (self._folder / f"{name}.json").write_text(json.dumps(_state(result)))

    def _reference(self, name: str) -> str:
        repository, _, digest = self._prepared.secured.partition("@")
        if name == "secured":
            return self._prepared.secured
        if name == "image":
            self.image = self.image or self._copied()
            return self.image
        if name == "down":
            return f"127.0.0.1:1/app@{digest}"
        self.proxy = self._proxies.enter_context(faulty_proxy(f"http://{self._prepared.registry}"))
        self.proxy.fail(then={"denied": 401, "lying": "altered", "counted": "pass"}[name])  # type: ignore[arg-type]
        return f"{self.proxy.url.removeprefix('http://')}/{repository.partition('/')[2]}@{digest}"

    def _copied(self) -> str:
        """The image alone, in a repository of its own."""
        repository = f"{self._prepared.registry}/c{uuid.uuid4().hex[:12]}"
        command = ["crane", "copy", self._prepared.secured, f"{repository}:1"]
        subprocess.run(command, env=self._env, check=True, capture_output=True)
        return f"{repository}@{self._prepared.secured.partition('@')[2]}"


@contextmanager
def world(prepared: Prepared, env: dict[str, str], folder: Path) -> Iterator[World]:
    """A copy of what was prepared, for one test."""
    shutil.copytree(prepared.folder, folder, dirs_exist_ok=True)
    with ExitStack() as proxies:
        yield World(prepared, env, folder, proxies)


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Everything in a folder, with the times of its writing."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def _state(result: dict) -> dict:
    command = f".sc/bin/sc-secure image sign --image {result['subject']} --key cosign.key --no-transparency-log"
    resource = {
        "urn": "urn:pulumi:dev::trial::sc-secure:index:SecuredImage$command:local:Command::app-sign",
        "type": "command:local:Command",
        "inputs": {"create": command},
        "outputs": {"create": command, "stdout": json.dumps(result)},
    }
    return {"version": 3, "deployment": {"resources": [resource]}}
