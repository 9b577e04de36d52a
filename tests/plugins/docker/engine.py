"""Building and pushing with the `docker` program."""

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from logins import Login, logged_in
from programs import Environment, Log, Programs
from resources import ProviderError

_DIGEST = re.compile(r"\bdigest: (sha256:[0-9a-f]{64})\b")


class Engine:
    """A docker engine, through the program that finds it (DOCKER_HOST, or the current context)."""

    def __init__(self) -> None:
        self._programs = Programs()

    def build(
        self, name: str, build: dict[str, Any], *, context: str, dockerfile: str, environment: Environment, log: Log
    ) -> str:
        """Build and tag; return the image's id."""
        with tempfile.TemporaryDirectory(prefix="sc-secure-image-") as folder:
            file = Path(folder, "id")
            command = ["build", "--tag", name, "--file", dockerfile, "--iidfile", str(file)]
            command += ["--platform", build["platform"]]
            if "target" in build:
                command += ["--target", build["target"]]
            # The official plugin hands the values over by docker's API: they are in no command line here either.
            args = {key: value for key, value in sorted(build.get("args", {}).items()) if key not in environment}
            for key, value in sorted(build.get("args", {}).items()):
                command += ["--build-arg", key if key in args else f"{key}={value}"]
            buildkit = self._buildkit(build.get("builderVersion"), environment)
            if buildkit:
                command += ["--load"]
            builder = {
                "DOCKER_BUILDKIT": "1" if buildkit else "0",
                "BUILDKIT_PROGRESS": "plain",
                # The official plugin's images have none, and an image with one is pushed as an index.
                "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
            }
            self._programs.run(
                ["docker", *command, "--", context], environment | builder | args, log, f"building {name}"
            )
            return file.read_text().strip()

    def push(self, name: str, environment: Environment, log: Log) -> str:
        """Push; return `repository@digest`, of the digest that the push itself reported."""
        output = self._programs.run(["docker", "push", "--", name], environment, log, f"pushing {name}")
        found = _DIGEST.findall(output)
        if not found:
            raise ProviderError(f"pushing {name}: docker reported no digest:\n{output}")
        return f"{_repository(name)}@{found[-1]}"

    @contextlib.contextmanager
    def credentials(self, name: str, registry: dict[str, str], warn: Log) -> Iterator[Environment]:
        """Give the environment with the program's own credentials for the registry, or else the ambient ones."""
        username, password = registry.get("username", ""), registry.get("password", "")
        if not username or not password:
            if username or password:
                missing, given = ("username", "password") if password else ("password", "username")
                warn(f"{missing} was not set, although {given} was; using host credentials file")
            yield dict(os.environ)
            return
        with logged_in([Login(registry.get("server") or registry_of(name), username, password)]) as environment:
            yield environment

    def cancel(self) -> None:
        """End what is under way."""
        self._programs.cancel()

    def _buildkit(self, version: str | None, environment: Environment) -> bool:
        if version == "BuilderV1":
            return False
        command = ["docker", "buildx", "version"]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, check=False)
        except FileNotFoundError:
            return False  # said by the build itself
        if done.returncode != 0 and version is not None:
            raise ProviderError(f"the offline docker plugin needs docker's buildx for builderVersion {version}")
        return done.returncode == 0


def registry_of(name: str) -> str:
    """Return the registry of a fully qualified image name, and refuse another name."""
    host, slash, rest = name.partition("/")
    if not slash or not rest or not ("." in host or ":" in host or host == "localhost"):
        raise ProviderError(
            f"{name!r}: this provider requires all image names to be fully qualified. For example, if you are "
            "attempting to push to Dockerhub, prefix your image name with `docker.io`"
        )
    return host


def _repository(name: str) -> str:
    folder, slash, last = name.rpartition("/")
    repository = folder + slash + last.partition(":")[0]
    # The engine's own short form, which the official plugin's output has.
    return repository.removeprefix("docker.io/").removeprefix("library/")
