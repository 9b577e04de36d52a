"""Credentials that the program itself holds, for the steps: in a file while the program lives, and in no state.

A step's command knows the file's path alone, which stays the same when the password doesn't. The file is written just
before the step runs, or before a preview looks at the registry, by a program that removes it when this one ends,
however it ends (`_keeper.py`).
"""

import asyncio
import base64
import json
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import pulumi

from sc_secure.components._memory import once
from sc_secure.components._validate import InvalidArgs
from sc_secure.components.args import RegistryArgs

FOLDER = ".sc/run"
"""Where the files are, relative to the project."""
HELD = "--registry-config"
"""The word of a command before its file."""

_OURS = "sc-secure:index:"
_HAS_HOST = re.compile(r"(?:localhost|[^/@]*[.:][^/@]*)/")
"""An image's name that begins with its registry; others are Docker Hub's."""


@dataclass(frozen=True)
class Held:
    """One registry's credentials."""

    path: str
    """The file's, relative to the project; in it, what docker calls its configuration."""
    registry: RegistryArgs

    async def written(self, root: str) -> None:
        """Returns once the file is there.

        Raises:
            RunError: it can't be written, or another component holds other credentials under the same name.
        """
        content = await self.content()
        if content is None:
            raise pulumi.RunError(f"{self.path}: the registry's credentials are unknown, so no step can use them")

        async def write() -> str:
            keeper = await once("keeper", _started)
            problem = await asyncio.get_running_loop().run_in_executor(
                None, keeper.hold, Path(root, self.path), content
            )
            if problem:
                raise pulumi.RunError(f"{self.path}, for the registry's credentials: {problem}")
            return content

        if await once(f"held {self.path}", write) != content:
            reason = "two components of this name have other credentials each; give one of them another name"
            raise pulumi.RunError(f"{self.path}: {reason}")

    async def content(self) -> str | None:
        """What the file holds; None: a preview doesn't know it yet."""
        keys = ("server", "username", "password")
        parts = [pulumi.Output.from_input(cast(Any, self.registry.get(key))) for key in keys]
        if not all([await part.is_known() for part in parts]):
            return None
        found = [await part.future() for part in parts]
        # Of a registry that is an output as a whole nobody knew beforehand what it says.
        if absent := [key for key, value in zip(keys, found, strict=True) if value is None]:
            reason = f"{' and '.join(absent)} missing: a registry that is an output as a whole needs all three"
            raise pulumi.RunError(f"registry: {reason} ({', '.join(keys)}); or give its values one by one")
        server, username, password = [str(value) for value in found]
        login = base64.b64encode(f"{username}:{password}".encode()).decode()
        return json.dumps({"auths": {server: {"auth": login}}})

    async def is_for(self, subject: str) -> bool:
        """Whether these are the credentials of an image's registry; the subject is `repository@sha256:…`."""
        server = str(await pulumi.Output.from_input(cast(Any, self.registry["server"])).future())
        return _host(server) == _host(subject if _HAS_HOST.match(subject) else "docker.io")


def _host(text: str) -> str:
    """The host that a server's or an image's name begins with."""
    host = re.sub(r"^https?://", "", text).split("/")[0]
    return "docker.io" if host in {"index.docker.io", "registry-1.docker.io"} else host


def held(component: str, name: str, given: Mapping[str, Any], opts: pulumi.ResourceOptions | None) -> Held | None:
    """What the program holds for a registry; None: nothing, so that a step takes what it finds where it runs.

    Args:
        component: whose arguments they are.
        name: the component's.
        given: the component's arguments; `registry` matters.
        opts: the component's options: of what belongs to another component of this package, that one has the file.

    Raises:
        InvalidArgs: a password without a user's name.
    """
    registry = cast(RegistryArgs | None, given.get("registry"))
    if registry is None or "password" not in registry:
        return None
    if "username" not in registry:
        raise InvalidArgs(component, [("registry.username", "missing: whose the password is")])
    kind, parent = component, opts.parent if opts else None
    if parent is not None and parent.pulumi_resource_type.startswith(_OURS):
        kind, name = parent.pulumi_resource_type.removeprefix(_OURS), parent.pulumi_resource_name
    file = re.sub(r"[^\w.-]", "_", f"{kind}-{name}", flags=re.ASCII)
    return Held(f"{FOLDER}/{pulumi.get_stack()}/{file}.json", registry)


class _Keeper:
    """The program that holds the files."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("_keeper.py"))]
        # In a session of its own: what ends this program's group doesn't end it.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._one_at_a_time = threading.Lock()

    def hold(self, path: Path, content: str) -> str:
        """Empty once the file is there; else why it isn't."""
        to, answers = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)
        with self._one_at_a_time:
            try:
                to.write(json.dumps({"path": str(path), "content": content}) + "\n")
                to.flush()
            except OSError as error:
                return str(error.strerror)
            answer = answers.readline()
        return answer.strip() if answer.endswith("\n") else "the program that holds it has ended"


async def _started() -> _Keeper:
    return await asyncio.get_running_loop().run_in_executor(None, _Keeper)
