"""`sc-secure drift`."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sc_secure.cli._epilog import epilog
from sc_secure.cli._shared import Number, Output, given_credentials, registry_options, require_one_registry
from sc_secure.errors import ConfigError, VerificationFailed
from sc_secure.tools.reference import parse_reference
from sc_secure.tools.text import printable

if TYPE_CHECKING:
    from sc_secure.cli._documents import DriftDocument, ImageDrift
    from sc_secure.report.document import Attachment
    from sc_secure.report.state import Recorded
    from sc_secure.steps.session import Session
    from sc_secure.steps.status import Status

_MAX_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class _Drift:
    """One image, as the state has it and as its registry has it."""

    subject: str
    gone: tuple[Attachment, ...]
    """What was attached and isn't listed any more."""
    soft_failed: tuple[str, ...]
    """Steps that the last update left for the next one."""
    status: Status | None
    """What its registry lists; None: nothing was attached, so it wasn't asked."""

    @property
    def unknown(self) -> str:
        """Why what is attached isn't known; empty: it is."""
        return self.status.reason if self.status else ""

    @property
    def drifted(self) -> bool:
        """The next update has something to do."""
        return bool(self.gone or self.soft_failed)


@click.command(
    epilog=epilog(
        "sc-secure drift --stack production",
        "pulumi stack export | sc-secure drift --stack-state - --output json",
        codes=(0, 2, 4, 5, 6, 7),
        meanings={
            4: "something is gone, or a step failed softly",
            5: "pulumi is missing",
            6: "a registry can't be asked",
        },
    )
)
@click.option("--stack", metavar="S", help="The stack.  [default: the selected one]")
@click.option(
    "--stack-state",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What `pulumi stack export` printed, in place of asking Pulumi; `-` is standard input.",
)
@click.option(
    "--timeout",
    type=Number(1, 86400),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long the registries have to answer.",
)
@registry_options
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the result is printed; json is one line.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show the command lines that are run.")
def command(
    *,
    stack: str | None,
    stack_state: Path | None,
    timeout: float,
    registry_username_env: str | None,
    registry_password_env: str | None,
    registry_config: Path | None,
    output: Output,
    verbose: bool,
) -> None:
    """Compare what a stack's last update attached with what the registry lists now.

    Says what the next `pulumi up` would do again: signatures and attestations that are gone, and steps that failed
    softly. Exits with 0 if there is nothing, 4 if there is something, and 6 if a registry can't be asked. Nothing is
    verified and nothing is changed. For a password that only the program holds, name where else to find it.
    """
    from sc_secure.report.state import images  # noqa: PLC0415 - light start
    from sc_secure.steps.session import open_session  # noqa: PLC0415 - light start

    if stack is not None and stack_state is not None:
        raise click.UsageError("--stack and --stack-state exclude each other")
    given = given_credentials(registry_username_env, registry_password_env, registry_config)
    with open_session(timeout=timeout + 5, verbose=verbose, registry=given) as session:
        text = _read(stack_state) if stack_state is not None else _export(session, stack)
        try:
            recorded = images(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"the stack's state: {printable(str(error), limit=200)}") from None
        found = _compare(session, recorded, timeout)
    if output == "json":
        document: DriftDocument = {"images": [_row(each) for each in found]}
        click.echo(json.dumps(document))
    else:
        click.echo("\n".join(line for each in found for line in _lines(each)) or "no image was secured in this stack")
    _verdict(found)


def _verdict(found: list[_Drift]) -> None:
    """Ends the command as what was found says.

    Raises:
        VerificationFailed: something drifted.
        InfrastructureError, NotAuthorised: nothing did, as far as is known.
    """
    from sc_secure.steps.status import unknown  # noqa: PLC0415 - light start

    drifted = [each for each in found if each.drifted]
    if drifted:
        advice = "`pulumi preview` shows it, and `pulumi up` does it again"
        raise VerificationFailed(f"drifted: {len(drifted)} of {len(found)} images", advice=advice)
    error = unknown([each.status for each in found if each.status])
    if error:
        raise error


def _read(path: Path) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read(_MAX_BYTES)
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES)
    except OSError as error:
        raise ConfigError(f"--stack-state {printable(str(path), limit=200)}: {error.strerror}") from None


def _export(session: Session, stack: str | None) -> bytes:
    """The state, from the user's own pulumi. Secrets stay encrypted in it, and none is needed."""
    argv = ["pulumi", "stack", "export", "--non-interactive", *(["--stack", stack] if stack else [])]
    done = session.runner.run(argv, env=os.environ, stdout_limit=_MAX_BYTES)
    if done.code != 0:
        raise ConfigError(done.summary(), advice="run it in the project's folder, and name a stack that exists")
    return done.stdout


def _compare(session: Session, recorded: list[Recorded], within: float) -> list[_Drift]:
    from sc_secure.report.building import attachments  # noqa: PLC0415 - light start
    from sc_secure.steps.status import look  # noqa: PLC0415 - light start

    attached = [list(attachments(each.steps)) for each in recorded]
    looked_at = [parse_reference(each.subject) for each, some in zip(recorded, attached, strict=True) if some]
    if session.given.variables:
        require_one_registry(looked_at, "name them all in --registry-config")
    there = {status.image.subject: status for status in look(session, looked_at, within)} if looked_at else {}
    found: list[_Drift] = []
    for each, some in zip(recorded, attached, strict=True):
        status = there.get(each.subject)
        listed = None if status is None or status.attached is None else {one.digest for one in status.attached}
        gone = tuple(one for one in some if listed is not None and one.digest not in listed)
        soft = tuple(step.name for step in each.steps if step.status == "soft_failed")
        found.append(_Drift(each.subject, gone, soft, status))
    return found


def _row(drift: _Drift) -> ImageDrift:
    row: ImageDrift = {
        "subject": drift.subject,
        "gone": [{"kind": each.kind, "digest": each.digest} for each in drift.gone],
        "softFailed": list(drift.soft_failed),
    }
    if drift.unknown:
        row["unknown"] = printable(drift.unknown, limit=300)
    return row


def _lines(drift: _Drift) -> list[str]:
    lines = [f"  gone: {printable(each.kind, limit=200)} {each.digest}" for each in drift.gone]
    lines += [f"  failed softly: {printable(name, limit=100)}" for name in drift.soft_failed]
    lines += [f"  unknown: {printable(drift.unknown, limit=300)}"] if drift.unknown else []
    return [printable(drift.subject, limit=300), *(lines or ["  as it was"])]
