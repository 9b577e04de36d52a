"""Stands for pulumi-docker 5.2.0 where the official plugin can't be downloaded: `docker.Image` and nothing else.

It builds with the `docker` program: with BuildKit where that has buildx, and with the classic builder otherwise.
"""

import os
import platform
from pathlib import Path
from typing import Any, ClassVar

from context import digest_of
from engine import Engine, registry_of
from properties import UNKNOWN, Properties, has_unknowns
from provider import Provider
from resources import Operation, ProviderError, Resource
from servicer import serve

_STRING = {"type": "string"}
_BUILD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "args": {"type": "object", "additionalProperties": _STRING},
        "builderVersion": {"type": "string", "enum": ["BuilderV1", "BuilderBuildKit"]},
        "cacheFrom": {"type": "object", "properties": {"images": {"type": "array", "items": _STRING}}},
        "context": _STRING,
        "dockerfile": _STRING,
        "platform": _STRING,
        "target": _STRING,
    },
}
_REGISTRY = {"type": "object", "properties": {"server": _STRING, "username": _STRING, "password": _STRING}}
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Image(Resource):
    """`docker:index/image:Image`: builds and pushes an image."""

    token = "docker:index/image:Image"
    inputs: ClassVar = {
        "type": "object",
        "properties": {
            "build": _BUILD,
            "buildOnPreview": {"type": "boolean"},
            "imageName": _STRING,
            "registry": _REGISTRY,
            "skipPush": {"type": "boolean"},
        },
        "required": ["imageName"],
    }
    outputs: ClassVar = {
        "properties": dict.fromkeys(
            ("baseImageName", "context", "dockerfile", "imageName", "platform", "registryServer", "repoDigest"), _STRING
        ),
        "required": ["baseImageName", "context", "dockerfile", "imageName", "registryServer", "repoDigest"],
    }

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def check(self, operation: Operation, olds: Properties, news: Properties) -> Properties:
        name = news["imageName"]
        if not news.get("skipPush") and not has_unknowns(name):
            registry_of(name)  # refuses a name that isn't fully qualified
        build = news.get("build", {})
        if not isinstance(build, dict):  # wholly unknown
            return news
        build = {"platform": _host_platform()} | build
        if "cacheFrom" in build:
            operation.warn("the offline docker plugin ignores cacheFrom: the engine's own cache is used")
        context, dockerfile = _places(build)
        known = not has_unknowns([context, dockerfile])
        # As the official plugin does: beside the inputs, so that a changed file is a changed input.
        build["contextDigest"] = digest_of(_existing(context, dockerfile), dockerfile) if known else UNKNOWN
        return news | {"build": build}

    def compared(self, inputs: Properties) -> Properties:
        # Credentials change often (a new token at every run) and make no other image.
        if not isinstance(inputs.get("registry"), dict):
            return inputs
        server = {key: value for key, value in inputs["registry"].items() if key == "server"}
        return inputs | {"registry": server}

    def planned(self, operation: Operation, olds: Properties | None, news: Properties) -> Properties:
        if news.get("buildOnPreview") and not has_unknowns(news):
            self._image(operation, news, push=False)
        return _described(news) | {"repoDigest": UNKNOWN}

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        return inputs["imageName"], self.update(operation, "", {}, inputs)

    def update(self, operation: Operation, name: str, olds: Properties, news: Properties) -> Properties:
        return _described(news) | {"repoDigest": self._image(operation, news, push=not news.get("skipPush"))}

    def _image(self, operation: Operation, inputs: Properties, *, push: bool) -> str:
        """Build the image; return its id, or its reference when it is pushed."""
        name, build = inputs["imageName"], inputs["build"]
        context, dockerfile = _places(build)
        with self._engine.credentials(name, inputs.get("registry", {}), operation.warn) as environment:
            operation.log("Building the image")
            image = self._engine.build(
                name, build, context=context, dockerfile=dockerfile, environment=environment, log=operation.log
            )
            if not push:
                return image
            operation.log("Pushing Image to the registry")
            return self._engine.push(name, environment, operation.log)


class Docker(Provider):
    """Builds and pushes images."""

    name = "docker"
    version = "5.2.0"

    def __init__(self) -> None:
        self._engine = Engine()
        super().__init__([Image(self._engine)])

    def configure(self, config: dict[str, str]) -> None:
        host = config.pop("host", "")
        super().configure({key: value for key, value in config.items() if value})
        if host:
            os.environ["DOCKER_HOST"] = host

    def cancel(self) -> None:
        self._engine.cancel()


def _described(inputs: Properties) -> Properties:
    """Return the outputs that follow from the inputs."""
    build = inputs["build"] if isinstance(inputs["build"], dict) else {"context": UNKNOWN, "dockerfile": UNKNOWN}
    registry = inputs["registry"] if isinstance(inputs.get("registry"), dict) else {}
    context, dockerfile = _places(build)
    known = not has_unknowns([context, dockerfile])
    return {
        "baseImageName": inputs["imageName"],
        "context": context,
        "dockerfile": os.path.relpath(dockerfile, context) if known else UNKNOWN,
        "imageName": inputs["imageName"],
        "platform": build.get("platform", UNKNOWN),
        "registryServer": registry.get("server", ""),
    }


def _places(build: Properties) -> tuple[str, str]:
    context = build.get("context", ".")
    return context, build.get("dockerfile", UNKNOWN if has_unknowns(context) else str(Path(context, "Dockerfile")))


def _existing(context: str, dockerfile: str) -> str:
    if not Path(context).is_dir():
        raise ProviderError(f"the build context {context} isn't a folder")
    if not Path(dockerfile).is_file():
        hint = Path(context, dockerfile)
        advice = f". Try setting `dockerfile` to {str(hint)!r}" if hint.is_file() else ""
        raise ProviderError(f"could not open dockerfile at relative path {dockerfile}{advice}")
    return context


def _host_platform() -> str:
    machine = platform.machine()
    return f"linux/{_ARCHITECTURES.get(machine, machine)}"


if __name__ == "__main__":
    serve(Docker())
