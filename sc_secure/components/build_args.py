"""The arguments that say how an image is built, and where it is pushed to. See `args`."""

from typing import NotRequired, TypedDict

import pulumi


class BuildArgs(TypedDict):
    """How the image is built."""

    context: str
    """The build context's folder, relative to the project."""
    dockerfile: NotRequired[str]
    """The Dockerfile's path, relative to the project. `Dockerfile` in the context when not said."""
    platform: NotRequired[str]
    """The platform to build for, as `linux/amd64`."""
    target: NotRequired[str]
    """The stage of the Dockerfile to build."""
    args: NotRequired[dict[str, pulumi.Input[str]]]
    """Build arguments. They are kept in the image's history: no place for secrets."""


class RegistryArgs(TypedDict):
    """The registry, where docker's configuration and the cloud's identity don't have its credentials."""

    server: pulumi.Input[str]
    """The registry's host name."""
    username: NotRequired[pulumi.Input[str]]
    """The user's name."""
    password: NotRequired[pulumi.Input[str]]
    """The password or token. In the built image's state only, as a secret; a step reads it from a file of the run."""
