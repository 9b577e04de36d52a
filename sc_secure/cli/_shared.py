"""What the commands share: their flags, and the way a step is run and its result printed."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar, Unpack, cast

import click

from sc_secure.context.credentials import Given, NamedVariables
from sc_secure.errors import ScSecureError
from sc_secure.policy.limits import MAX_ATTEMPTS, MAX_BASE_DELAY
from sc_secure.steps.result import StepName, StepResult
from sc_secure.steps.session import DEFAULT_ARTIFACTS, DEFAULT_TIMEOUT, Session, StepFunction, check_save, open_session
from sc_secure.steps.soft import is_soft, soft_failure
from sc_secure.tools.reference import ImageReference, parse_reference
from sc_secure.tools.text import printable
from sc_secure.tools.transient import ATTEMPTS, BASE_DELAY, Retrying

Command = TypeVar("Command", bound=Callable[..., Any])
Output = Literal["text", "json"]


class Number(click.FloatRange):
    """A number in a range; `nan` compares with nothing, so click itself takes it for one in any range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, which is one."""
        converted = super().convert(value, param, ctx)
        if math.isnan(converted):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return converted


class Shared(TypedDict):
    """The values of the `shared_options`."""

    output: Output
    verbose: bool
    artifacts: str
    timeout: float
    registry_username_env: str | None
    registry_password_env: str | None
    registry_config: Path | None
    retry_attempts: int | None
    retry_base_delay: float | None


def shared_of(values: Shared) -> Shared:
    """The shared ones of a command's values."""
    return Shared(
        output=values["output"],
        verbose=values["verbose"],
        artifacts=values["artifacts"],
        timeout=values["timeout"],
        registry_username_env=values["registry_username_env"],
        registry_password_env=values["registry_password_env"],
        registry_config=values["registry_config"],
        retry_attempts=values["retry_attempts"],
        retry_base_delay=values["retry_base_delay"],
    )


class _Image(click.ParamType[ImageReference]):
    """`REPOSITORY@sha256:…`."""

    name = "REF"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ImageReference:
        return value if isinstance(value, ImageReference) else parse_reference(str(value))


image_type = _Image()
image_option = click.option(
    "--image", type=image_type, required=True, metavar="REF", help="The image, as REPOSITORY@sha256:…"
)


_REGISTRY = (
    click.option(
        "--registry-username-env",
        metavar="NAME",
        help="The environment variable that holds the user's name at the registry.  [default: docker's "
        "configuration, or the ambient cloud identity]",
    ),
    click.option(
        "--registry-password-env",
        metavar="NAME",
        help="The environment variable that holds the password or token. Goes with --registry-username-env.",
    ),
    click.option(
        "--registry-config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A file of docker's form with the registry's credentials, yours alone (0600). Passed over where it "
        "isn't there.",
    ),
)


def registry_options(command: Command) -> Command:
    """The flags that say where a registry's credentials are; `given_credentials` reads them."""
    for option in reversed(_REGISTRY):
        command = option(command)
    return command


def given_credentials(username_env: str | None, password_env: str | None, config: Path | None) -> Given:
    """What the `registry_options` say.

    Raises:
        UsageError: only one of the two variables is named.
    """
    if (username_env is None) != (password_env is None):
        raise click.UsageError("--registry-username-env and --registry-password-env go together")
    named = (
        NamedVariables(username_env, password_env) if username_env is not None and password_env is not None else None
    )
    return Given(named, config)


def require_one_registry(images: Sequence[ImageReference], advice: str) -> None:
    """Refuses to give one registry's password to another.

    Raises:
        UsageError: the images are in several.
    """
    if len({image.registry for image in images}) > 1:
        raise click.UsageError(
            f"--registry-username-env: goes with one registry, and the images are in several; {advice}"
        )


def shared_options(command: Command) -> Command:
    """The flags of every step."""
    return run_options(command, what="the step", timeout=DEFAULT_TIMEOUT)


def run_options(command: Command, *, what: str, timeout: float) -> Command:
    """The flags of everything that runs tools: they make `Shared`.

    Args:
        command: gets the flags.
        what: what is run, for the help.
        timeout: the default, in seconds.
    """
    options = (
        click.option(
            "--output",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="How the result is printed; json is one line.",
        ),
        click.option("-v", "--verbose", is_flag=True, help="Show the tools' command lines and messages on stderr."),
        click.option(
            "--artifacts",
            default=DEFAULT_ARTIFACTS,
            show_default=True,
            metavar="DIR",
            help="The folder for documents.",
        ),
        click.option(
            "--timeout",
            type=Number(1, 86400),
            default=timeout,
            show_default=True,
            metavar="SECONDS",
            help=f"How long {what} may take.",
        ),
        *_REGISTRY,
        click.option(
            "--retry-attempts",
            type=click.IntRange(1, MAX_ATTEMPTS),
            metavar="N",
            help=f"How often is tried in all what a time-out, a lost connection or a busy server ended.  "
            f"[default: {ATTEMPTS}]",
        ),
        click.option(
            "--retry-base-delay",
            type=Number(0, MAX_BASE_DELAY),
            metavar="SECONDS",
            help=f"How long to wait before the second try, at most; doubled each time.  [default: {BASE_DELAY}]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


class Soft(TypedDict):
    """The value of the `soft_option`."""

    allow_failure: bool


soft_option = click.option(
    "--allow-failure",
    is_flag=True,
    help="If the step can't be done (a tool is missing, a registry or service fails), warn and exit with 0. What the "
    "policy forbids, and what isn't verified, fails all the same.",
)
"""For the steps that a policy may not require: it makes `Soft`."""


def _save(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    if value is not None:
        check_save(value)
    return value


save_option = click.option(
    "--save",
    type=click.Path(path_type=Path),
    callback=_save,
    metavar="FILE",
    help="Keep a copy of the document in this file too, relative to the working directory.",
)
"""For the steps that make a document."""

KEY_HELP = (
    "A cosign key file, env://NAME, or an address of awskms://, gcpkms://, azurekms://, hashivault://, "
    "k8s:// or pkcs11:."
)
password_option = click.option(
    "--password-env",
    metavar="NAME",
    help="The environment variable that holds the key's password.  [default: COSIGN_PASSWORD]",
)


def session_for(image: ImageReference, **shared: Unpack[Shared]) -> AbstractContextManager[Session]:
    """A run on one image, with the `shared_options`.

    Raises:
        UsageError: only one of the two variables of the registry's credentials is named.
    """
    names = shared["registry_username_env"], shared["registry_password_env"]
    return open_session(
        artifacts=shared["artifacts"],
        timeout=shared["timeout"],
        verbose=shared["verbose"],
        image=image,
        registry=given_credentials(*names, shared["registry_config"]),
        retry=Retrying(shared["retry_attempts"], shared["retry_base_delay"]),
        bounded=True,
    )


def look_for(**shared: Unpack[Shared]) -> AbstractContextManager[Session]:
    """A run that only asks registries, with the `shared_options`. It waits for no step to end.

    Raises:
        UsageError: only one of the two variables of the registry's credentials is named.
    """
    names = shared["registry_username_env"], shared["registry_password_env"]
    return open_session(
        timeout=shared["timeout"],
        verbose=shared["verbose"],
        registry=given_credentials(*names, shared["registry_config"]),
        retry=Retrying(shared["retry_attempts"], shared["retry_base_delay"]),
    )


def run_step(
    image: ImageReference,
    name: StepName,
    step: StepFunction,
    *,
    allow_failure: bool = False,
    **shared: Unpack[Shared],
) -> None:
    """Run a step on an image, and print its result: one line of JSON, or a few lines for a person.

    Args:
        image: what it works on.
        name: the step's.
        step: the step.
        allow_failure: an infrastructure failure is a result too: `soft_failed`.
        shared: the `shared_options`.
    """
    started_at = datetime.now(UTC)
    try:
        with session_for(image, **shared) as session:
            result = step(session)
    except ScSecureError as error:
        if not (allow_failure and is_soft(error)):
            raise
        result = soft_failure(name, image, error, started_at)
    for warning in result.warnings:
        print(f"warning: {printable(warning, limit=500)}", file=sys.stderr)
    click.echo(result.to_line() if shared["output"] == "json" else _as_text(result))


def _as_text(result: StepResult) -> str:
    seconds = (result.finished_at - result.started_at).total_seconds()
    lines = [f"{result.step} {result.status} ({seconds:.1f} s): {result.subject}"]
    for name, value in result.outputs.items():
        if isinstance(value, dict):
            lines += [f"  {name}: {printable(key)} {printable(each)}" for key, each in value.items()]
        elif value != "":
            lines.append(f"  {name}: {printable(str(cast('object', value)))}")
    return "\n".join(lines)
