"""`sc-secure release create`."""

from __future__ import annotations

import importlib
import os
import re
import sys
from functools import partial
from typing import TYPE_CHECKING, Unpack

import click

from sc_secure.cli._build import Built, build_options, built_from
from sc_secure.cli._epilog import epilog
from sc_secure.cli._shared import Shared, image_option, run_options, session_for, shared_of
from sc_secure.errors import InfrastructureError
from sc_secure.steps.formats import SBOM_FORMATS, sbom_format
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.text import printable

if TYPE_CHECKING:
    from sc_secure.report.document import Release, Signer
    from sc_secure.steps.release import Chain, Outcome, Plan
    from sc_secure.tools.cosign import Verifier

_TIMEOUT = 3600.0
"""Seconds for the whole chain; each step has its own limit in the policy."""
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}", re.ASCII)


class _Values(Built, Shared):
    """The values of the `build_options` and the shared ones."""


def _environment(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value and not _ENVIRONMENT.fullmatch(value):
        raise click.BadParameter("a word of at most 64 letters, digits, dots, hyphens and slashes is expected")
    return value


@click.group()
def command() -> None:
    """Take an image through the whole chain."""


@command.command(
    epilog=epilog(
        "sc-secure release create --image $REF --stack web --environment production",
        "sc-secure release create --image $REF --policy policy.yaml --context . --output json",
        codes=(0, 2, 3, 4, 5, 6, 7),
    )
)
@image_option
@click.option("--stack", metavar="NAME", help="The stack whose .sc/stacks/NAME/client.yaml is the policy.")
@click.option("--policy", metavar="FILE", help="The YAML file whose `security:` block is the policy.")
@click.option(
    "--environment",
    default="",
    callback=_environment,
    metavar="NAME",
    help="What the release is for, such as production. Recorded in the reports; it decides nothing.",
)
@click.option(
    "--sbom-format",
    "forms",
    type=click.Choice(list(SBOM_FORMATS)),
    multiple=True,
    help="A format of the SBOM besides the policy's, from the same reading; may be given again.",
)
@build_options
@partial(run_options, what="the whole chain", timeout=_TIMEOUT)
def create(
    *,
    image: ImageReference,
    stack: str | None,
    policy: str | None,
    environment: str,
    forms: tuple[str, ...],
    **values: Unpack[_Values],
) -> None:
    """Catalogue, scan, sign, attest and verify an image that is in its registry, as a policy says.

    Nothing is signed before the scan has passed; what fails ends the chain, and its exit code is the command's.
    release.json, release.md, release.sarif and release.html go to the image's folder under --artifacts, however the
    chain ends.
    """
    from sc_secure.policy.loading import load_policy  # noqa: PLC0415 - light start
    from sc_secure.steps.release import plan, secure  # noqa: PLC0415 - light start

    if (stack is None) == (policy is None):
        raise click.UsageError("say which policy counts: either --stack NAME, or --policy FILE")
    security = load_policy(policy, stack=stack).security
    what = plan(security, built_from(values), [sbom_format(name) for name in forms], os.environ)
    if not security.enabled:
        print("warning: the policy switches security off: nothing is done", file=sys.stderr)
    shared = shared_of(values)
    shared["retry_attempts"] = shared["retry_attempts"] or security.retry.attempts
    if shared["retry_base_delay"] is None:
        shared["retry_base_delay"] = security.retry.base_delay
    with session_for(image, **shared) as session:
        chain = secure(session, image, what, _tell, _load_reports)
        folder = session.folder(image)
    release = _document(image, what, chain, environment, f"stack {stack}" if stack is not None else str(policy))
    failed = chain.failed.error if chain.failed else None
    from sc_secure.cli._reports import publish  # noqa: PLC0415 - loaded by now, see _load_reports

    try:
        publish(release, folder, values["output"])
    except InfrastructureError as error:
        if failed is None:
            raise
        print(f"warning: the reports weren't written: {error.message}", file=sys.stderr)
    if failed:
        raise failed


def _load_reports() -> None:
    """What writes the reports takes long to load, and isn't needed before the image is read."""
    importlib.import_module("sc_secure.cli._reports")


def _tell(outcome: Outcome) -> None:
    """A line for a person, once a step has ended; while it runs, its programs show themselves on a terminal."""
    status = outcome.result.status if outcome.result else "failed"
    seconds = 0.0
    if outcome.started_at and outcome.finished_at:
        seconds = (outcome.finished_at - outcome.started_at).total_seconds()
    print(f"{outcome.name:<18} {status:<12} {seconds:5.1f} s", file=sys.stderr)
    for warning in outcome.result.warnings if outcome.result else []:
        print(f"  warning: {printable(warning, limit=500)}", file=sys.stderr)


def _document(image: ImageReference, what: Plan, chain: Chain, environment: str, policy: str) -> Release:
    from sc_secure.report.building import build, scan_of, step_of  # noqa: PLC0415 - light start
    from sc_secure.report.document import Failure, Step  # noqa: PLC0415 - light start
    from sc_secure.tools.key import Key  # noqa: PLC0415 - light start

    steps = [
        step_of(each.name, each.needs, each.result)
        if each.result
        else Step(
            name=each.name,
            kind=each.kind,
            needs=list(each.needs),
            status="failed" if each.error else "not_run",
            started_at=each.started_at,
            finished_at=each.finished_at,
        )
        for each in chain.outcomes
    ]
    failed, signer = chain.failed, what.verifier or (what.signer if isinstance(what.signer, Key) else None)
    failure = None
    if failed and failed.error:
        error = failed.error
        failure = Failure(step=failed.name, exit_code=error.exit_code, message=error.message, advice=error.advice)
    return build(
        image.subject,
        steps,
        scan=scan_of(chain.scan) if chain.scan else None,
        failure=failure,
        signer=_reported(signer) if signer else None,
        environment=environment,
        policy=policy,
    )


def _reported(signer: Verifier) -> Signer:
    """Who must have signed, as the reports name them."""
    from sc_secure.report.building import signer_of  # noqa: PLC0415 - light start
    from sc_secure.report.document import Signer  # noqa: PLC0415 - light start
    from sc_secure.tools.key import Key  # noqa: PLC0415 - light start

    if isinstance(signer, Key):
        root = signer.services.trusted_root if signer.services else None
        log = signer.services is not None and signer.services.transparency_log
        return signer_of(
            signer.reference, public=signer.public, transparency_log=log, trusted_root=str(root) if root else ""
        )
    return Signer(
        identity_regexp=signer.regexp,
        oidc_issuer=signer.issuer,
        transparency_log=signer.transparency_log,
        trusted_root=str(signer.trusted_root or ""),
    )
