"""Building with BuildKit through a docker engine."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from programs import Environment, Log, Programs
from properties import Properties
from resources import ProviderError

_LAST_WITH_BUILDKIT = 22
"""The last major version of the docker program that has BuildKit's client in it; newer ones need buildx."""


class BuildKit:
    """The BuildKit of a docker engine (DOCKER_HOST, or the current context)."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    def build(self, inputs: Properties, platform: str, archive: Path, environment: Environment, log: Log) -> None:
        """Build for one platform, and save the image as `docker save` does."""
        docker, *more = _client(environment)
        with tempfile.TemporaryDirectory(prefix="sc-secure-build-") as folder:  # only the owner may enter it
            identity = Path(folder, "id")
            command = [docker, "build", *more, "--platform", platform, "--network", inputs["network"]]
            command += ["--iidfile", str(identity), "--file", inputs["dockerfile"]["location"]]
            if "target" in inputs:
                command += ["--target", inputs["target"]]
            args = inputs.get("buildArgs", {})
            # The official plugin hands the values over by BuildKit's API: they are in no command line here either.
            passed = {key: value for key, value in args.items() if key not in environment}
            for key, value in sorted(args.items()):
                command += ["--build-arg", key if key in passed else f"{key}={value}"]
            for number, (name, value) in enumerate(sorted(inputs.get("secrets", {}).items())):
                file = Path(folder, f"secret-{number}")
                file.write_text(value)
                command += ["--secret", f"id={name},src={file}"]
            own = {"DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
            context = inputs["context"]["location"]
            self._programs.run([*command, "--", context], environment | own | passed, log, f"building for {platform}")
            save = [docker, "save", "--output", str(archive), identity.read_text().strip()]
            self._programs.run(save, environment, log, "saving the image")


def _client(environment: Environment) -> list[str]:
    """The first docker program on PATH that can talk to BuildKit, and the flags that it needs for it."""
    for folder in os.get_exec_path(environment):
        docker = shutil.which("docker", path=folder)
        if docker is None:
            continue
        if _said(docker, environment, "buildx", "version"):
            return [docker, "--load"]
        major = _said(docker, environment, "version", "--format", "{{.Client.Version}}").partition(".")[0]
        if major.isdecimal() and int(major) <= _LAST_WITH_BUILDKIT:
            return [docker]
    raise ProviderError(
        "the offline docker-build plugin needs a docker program that talks to BuildKit: with buildx, or older than 23"
    )


def _said(docker: str, environment: Environment, *arguments: str) -> str:
    done = subprocess.run([docker, *arguments], env=environment, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""
