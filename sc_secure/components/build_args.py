"""The arguments that say how an image is built, and where it is pushed to. See `args`."""

from typing import NotRequired, TypedDict

import pulumi


class RegistryArgs(TypedDict):
    """The registry, where docker's configuration and the cloud's identity don't have its credentials."""

    server: pulumi.Input[str]
    """The registry's host name."""
    username: NotRequired[pulumi.Input[str]]
    """The user's name."""
    password: NotRequired[pulumi.Input[str]]
    """The password or token. In the built image's state only, as a secret; a step reads it from a file of the run."""


class BuildArgs(TypedDict):
    """How the image is built."""

    context: str
    """The build context's folder, relative to the project."""
    dockerfile: NotRequired[str]
    """The Dockerfile's path, relative to the project. `Dockerfile` in the context when not said."""
    builder: NotRequired[str]
    """What builds: `docker` (when not said), or `docker-build` (BuildKit), which needs pulumi-docker-build."""
    platform: NotRequired[str]
    """The platform to build for, as `linux/amd64`."""
    platforms: NotRequired[list[str]]
    """The platforms to build for: the image is an index then. Needs `docker-build`. Excludes `platform`."""
    target: NotRequired[str]
    """The stage of the Dockerfile to build."""
    args: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Build arguments. They are kept in the image's history: no place for secrets."""
    secrets: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """What `RUN --mount=type=secret` reads. Kept in the image resource's state only, as secrets. Needs docker-build."""
    cache_from: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Where layers are read from, as docker's `--cache-from`: `type=registry,ref=…`. Needs `docker-build`."""
    cache_to: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Where layers are kept for other builds, as docker's `--cache-to`. Needs `docker-build`."""
    network: NotRequired[str]
    """The network of `RUN` steps: `default` (when not said), `none` or `host`. Needs `docker-build`."""
    registries: NotRequired[list[pulumi.Input[RegistryArgs]]]
    """Further registries with credentials, for base images and caches. Needs `docker-build`."""
