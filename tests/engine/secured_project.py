"""A project that secures a small image with the real engine, docker engine, registry and tools."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.project import Project

STEPS = ("sbom", "scan", "sign", "attest-sbom", "attest-provenance", "attest-scan", "verify")

SECURITY = """
security = {
    "scan": {"fail_on": config.get("failOn") or "critical"},
    "sbom": {"format": "cyclonedx-json"},
    "signing": {"key": "cosign.key", "password_env": "SIGNING_PASSWORD", "verify": {"key": "cosign.pub"}},
    "provenance": {"builder_id": "https://ci.example/builder"},
}
"""

PROGRAM = f"""
import pulumi
from sc_secure import SecuredImage

config = pulumi.Config()
{SECURITY}
def secured(name, folder):
    image = SecuredImage(name, {{
        "image_name": config.require("registry") + "/" + name + ":1",
        "build": {{"context": folder, "dockerfile": folder + "/Dockerfile"}},
        "security": security,
    }})
    for output in ("image_ref", "digest", "deployable_ref", "sbom_path", "sbom_sha256", "scan_summary", "rekor_uuid",
                   "rekor_log_index", "attestations", "status", "warnings"):
        pulumi.export(f"{{name}}_{{output}}", getattr(image, output))
    return image

for name in (config.get("images") or "app").split(","):
    secured(name, name)
"""

PACKAGES = {"sqlparse": "0.4.4", "idna": "3.6"}
"""Real packages with a published advisory each: high (GHSA-2m57-hf25-phgg) and medium (GHSA-jjg7-2v4v-x38h)."""


class SecuredProject(Project):
    """The project, its signing key, and a look at its registry."""

    def __init__(self, folder: Path, environment: dict[str, str], registry: str, key: Path, program: str) -> None:
        super().__init__(folder, environment | {"SIGNING_PASSWORD": "test"}, program)
        self.registry = registry
        shutil.copy(key, self.folder / "cosign.key")
        shutil.copy(key.with_suffix(".pub"), self.folder / "cosign.pub")
        self.configure("registry", registry)

    def configure(self, key: str, value: str) -> None:
        self._pulumi("config", "set", key, value, "--stack", "dev")

    def write_app(self, name: str = "app", content: str = "hello", packages: dict[str, str] = PACKAGES) -> None:
        """An image's build context: a file, and the metadata that installed Python packages leave."""
        dockerfile = "FROM scratch\nCOPY hello.txt /hello.txt\nCOPY packages /usr/lib/python3/dist-packages\n"
        self.write(f"{name}/Dockerfile", dockerfile)
        self.write(f"{name}/hello.txt", content)
        for package, version in packages.items():
            metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
            self.write(f"{name}/packages/{package}-{version}.dist-info/METADATA", metadata)

    def stack_outputs(self) -> dict[str, Any]:
        return json.loads(self._pulumi("stack", "output", "--json", "--stack", "dev").stdout)

    def export(self, *options: str) -> str:
        """The stack's state, as `pulumi stack export` gives it."""
        return self._pulumi("stack", "export", "--stack", "dev", *options).stdout

    def plan(self, *options: str) -> dict[str, Any]:
        """`pulumi preview --json`: what would change."""
        done = self._pulumi("preview", "--json", "--stack", "dev", *options, check=False)
        return json.loads(done.stdout[done.stdout.index("{") :])

    def changed(self, *options: str) -> dict[str, dict[str, Any]]:
        """What a preview would change: resource name -> the step of the plan."""
        steps = self.plan(*options)["steps"]
        return {step["urn"].split("::")[-1]: step for step in steps if step["op"] != "same"}

    def run(self, *command: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """A program, in the project's folder and environment."""
        env = self.environment | more
        return subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=120, check=False
        )

    def attached(self, reference: str) -> list[dict[str, Any]]:
        """The manifests that are attached to an image in the registry, by its fallback tag."""
        repository, digest = reference.split("@")
        done = self.run("crane", "manifest", f"{repository}:{digest.replace(':', '-')}")
        if done.returncode != 0:
            assert "MANIFEST_UNKNOWN" in done.stderr or "NAME_UNKNOWN" in done.stderr, done.stderr
            return []
        entries = json.loads(done.stdout)["manifests"]
        return [
            json.loads(self.run("crane", "manifest", f"{repository}@{entry['digest']}").stdout) for entry in entries
        ]
