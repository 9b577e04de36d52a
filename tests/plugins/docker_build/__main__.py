"""Stands for pulumi-docker-build 0.0.22, of which it has `Image` alone, pushed to a registry.

It builds with the BuildKit of a docker engine, one platform after the other, and puts the index together itself: the
official plugin brings its own buildx, and makes it by one build. Caches are ignored, with a warning. Previews are the
official one's: where no input has changed, but a file of the context has, it gives an empty digest as if it were known.
"""

import os
import platform
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from buildkit import BuildKit
from context import digest_of
from layout import LAYOUT_INDEX, Layout
from logins import Login, logged_in
from programs import Environment, Programs
from properties import UNKNOWN, Properties, has_unknowns
from provider import Provider
from resources import InvalidInput, Operation, ProviderError
from sdk_resource import SdkResource
from servicer import serve

_UNKNOWN_TO_US = ("addHosts", "builder", "exec", "exports", "labels", "load", "noCache", "pull", "ssh")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Image(SdkResource):
    """`docker-build:index:Image`: builds an image for one or more platforms, and pushes it."""

    token = "docker-build:index:Image"

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._buildkit = BuildKit(programs)

    def check(self, operation: Operation, olds: Properties, news: Properties) -> Properties:
        for key in _UNKNOWN_TO_US:
            if news.get(key):
                raise InvalidInput(key, "isn't known to this offline plugin")
        inputs = {"buildOnPreview": True, "network": "default"} | news
        location = inputs.setdefault("context", {"location": "."})["location"]
        if has_unknowns(location):
            return inputs
        dockerfile = inputs.setdefault("dockerfile", {"location": os.path.normpath(Path(location, "Dockerfile"))})
        if not Path(location).is_dir():
            raise InvalidInput("context.location", f'"{location}": not a valid directory or URL')
        if "location" not in dockerfile or inputs["context"].get("named"):
            raise InvalidInput("dockerfile", "this offline plugin knows one context and a Dockerfile in a file")
        if not has_unknowns(dockerfile) and not Path(dockerfile["location"]).is_file():
            where = Path(dockerfile["location"]).absolute()
            raise InvalidInput("dockerfile.location", f"open {where}: no such file or directory")
        if inputs["push"] is True and not inputs.get("tags"):
            raise InvalidInput("exports[0]", "at least one tag or export name is needed when pushing to a registry")
        return inputs

    def compared(self, inputs: Properties) -> Properties:
        registries = [{**each, "password": ""} for each in inputs.get("registries", [])]
        ignored = dict.fromkeys(inputs.get("ignoreSecretsInDiffCalculation", []), "")
        secrets = {name: ignored.get(name, value) for name, value in inputs.get("secrets", {}).items()}
        same = {"registries": registries, "secrets": secrets}
        # Which secrets are ignored isn't looked at either.
        rest = {key: value for key, value in inputs.items() if key != "ignoreSecretsInDiffCalculation"}
        return rest | {key: value for key, value in same.items() if value}

    def outdated(self, state: Properties, news: Properties) -> Iterable[str]:
        if has_unknowns([news["context"], news.get("dockerfile", UNKNOWN)]):
            return ()
        return () if _context_hash(news) == state.get("contextHash") else ("contextHash",)

    def planned(self, operation: Operation, olds: Properties | None, news: Properties) -> Properties:
        if news["buildOnPreview"] is True and not has_unknowns(news):
            self._image(operation, news, push=False)
        changed = olds is None or any(olds.get(key) != value for key, value in news.items())
        if changed or has_unknowns(news):
            return news | dict.fromkeys(("digest", "contextHash", "ref"), UNKNOWN)
        # Nothing was built: what the official one gives then looks as if it were known.
        return news | {"digest": "", "contextHash": _context_hash(news), "ref": news["tags"][0]}

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        outputs = self.update(operation, "", {}, inputs)
        return outputs["digest"] or operation.name, outputs

    def update(self, operation: Operation, name: str, olds: Properties, news: Properties) -> Properties:
        digest = self._image(operation, news, push=news["push"])
        tag = news["tags"][0]
        ref = f"{_tagged(tag)}@{digest}" if digest and _fully_qualified(tag) else tag
        return news | {"digest": digest, "contextHash": _context_hash(news), "ref": ref}

    def read(self, operation: Operation, name: str, state: Properties) -> Properties | None:
        kept = []
        with self._environment(state) as environment:
            for tag in state["tags"]:
                reference = f"{_tagged(tag)}@{state['digest']}"
                try:
                    self._programs.run(["crane", "manifest", reference], environment, operation.log, "reading")
                except ProviderError as error:
                    operation.warn(str(error))
                else:
                    kept.append(tag)
        return state | {"tags": kept} if kept else None

    def delete(self, operation: Operation, name: str, olds: Properties) -> None:
        """Delete it from the registry, as the official one does; without a word where the registry won't."""
        with self._environment(olds) as environment:
            for tag in olds["tags"]:
                reference = f"{_tagged(tag).rpartition(':')[0]}@{olds['digest']}"
                try:
                    self._programs.run(["crane", "delete", reference], environment, operation.log, "deleting")
                except ProviderError as error:
                    operation.log(str(error))

    def _image(self, operation: Operation, inputs: Properties, *, push: bool) -> str:
        """Build for each platform; return the digest of what was pushed, and nothing else."""
        for key in ("cacheFrom", "cacheTo"):
            if inputs.get(key):
                operation.warn(f"the offline docker-build plugin ignores {key}: the engine's own cache is used")
        with self._environment(inputs) as environment, tempfile.TemporaryDirectory(prefix="sc-secure-image-") as folder:
            layout = Layout(Path(folder, "layout"))
            for wanted in inputs.get("platforms") or [_host_platform()]:
                operation.log(f"Building for {wanted}")
                archive = Path(folder, "image.tar")
                self._buildkit.build(inputs, wanted, archive, environment, operation.log)
                layout.add(wanted, archive)
                archive.unlink()
            if not push:
                return ""
            digest = layout.write()
            for tag in inputs["tags"]:
                command = [
                    "crane",
                    "push",
                    str(layout.folder),
                    tag,
                    *(["--index"] if layout.kind == LAYOUT_INDEX else []),
                ]
                self._programs.run(command, environment, operation.log, f"pushing {tag}")
            return digest

    @contextmanager
    def _environment(self, inputs: Properties) -> Iterator[Environment]:
        registries = [each for each in inputs.get("registries", []) if each.get("password")]
        logins = [Login(each["address"], each.get("username", ""), each["password"]) for each in registries]
        with logged_in(logins) as environment:
            yield environment


class DockerBuild(Provider):
    """Builds and pushes images."""

    name = "docker-build"
    version = "0.0.22"

    def __init__(self) -> None:
        self._programs = Programs()
        super().__init__([Image(self._programs)])

    def configure(self, config: dict[str, str]) -> None:
        host = config.pop("host", "")
        super().configure({key: value for key, value in config.items() if value})
        if host:
            os.environ["DOCKER_HOST"] = host

    def cancel(self) -> None:
        self._programs.cancel()


def _context_hash(inputs: Properties) -> str:
    return digest_of(inputs["context"]["location"], inputs["dockerfile"]["location"])


def _tagged(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _fully_qualified(name: str) -> bool:
    host, slash, _ = name.partition("/")
    return bool(slash) and ("." in host or ":" in host or host == "localhost")


def _host_platform() -> str:
    machine = platform.machine()
    return f"linux/{_ARCHITECTURES.get(machine, machine)}"


if __name__ == "__main__":
    serve(DockerBuild())
