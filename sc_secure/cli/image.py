"""`sc-secure image scan|sign|verify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Unpack

import click

from sc_secure.cli._scan_rules import ScanFlags, rules_of, scan_options
from sc_secure.cli._shared import Output, Shared, chosen_key, image_option, key_options, run_step, shared_options
from sc_secure.cli._verifying import Verifying, run_verification, verifier_options
from sc_secure.steps.scanners import DEFAULT_TOOLS
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.text import printable


@click.group()
def command() -> None:
    """Scan, sign and verify an image."""


@command.command()
@image_option
@scan_options
@click.option(
    "--tool",
    "tools",
    multiple=True,
    default=DEFAULT_TOOLS,
    show_default=True,
    metavar="NAME",
    help="The scanner. May be given again.",
)
@click.option(
    "--sbom",
    "sbom_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A syft-json catalogue of this image.  [default: the one under --artifacts, made if missing]",
)
@shared_options
def scan(
    *,
    image: ImageReference,
    tools: tuple[str, ...],
    sbom_file: Path | None,
    output: Output,
    verbose: bool,
    artifacts: str,
    timeout: float,
    **flags: Unpack[ScanFlags],
) -> None:
    """Scan the image for known vulnerabilities.

    Writes scan.json (every finding, with the decision and its reason) under --artifacts, and exits with 3
    if the policy is violated.
    """
    from sc_secure.steps import scan as step  # noqa: PLC0415 - light start

    rules = rules_of(**flags)
    shared: Shared = {"output": output, "verbose": verbose, "artifacts": artifacts, "timeout": timeout}
    run_step(lambda session: step.scan(session, image, rules, tools=tools, sbom_file=sbom_file), **shared)


@command.command()
@image_option
@key_options
@shared_options
def sign(
    *,
    image: ImageReference,
    key: str | None,
    password_env: str | None,
    keyless: bool,
    transparency_log: bool,
    **shared: Unpack[Shared],
) -> None:
    """Sign the image's digest; the signature goes into the image's registry.

    An image that this key has signed already is left as it is.
    """
    from sc_secure.steps import sign as step  # noqa: PLC0415 - light start

    chosen = chosen_key(key, password_env, keyless=keyless, transparency_log=transparency_log)
    run_step(lambda session: step.sign(session, image, chosen), **shared)


@command.command()
@image_option
@verifier_options
@click.option(
    "--attestation",
    "attestations",
    multiple=True,
    metavar="TYPE",
    help="Must be attached too: cyclonedx, spdx, syft, slsaprovenance1 or vuln; may be given again.",
)
@shared_options
def verify(
    *,
    image: ImageReference,
    attestations: tuple[str, ...],
    **values: Unpack[Verifying],
) -> None:
    """Verify the image's signature, and the attestations that are named.

    Exits with 4 if one is missing, by another signer, or about another digest.
    """
    from sc_secure.steps import verify as step  # noqa: PLC0415 - light start

    for name in attestations:
        step.predicate_type(name)
    run_verification(lambda session, signer: step.verify_image(session, image, signer, attestations), **values)


@command.command()
@image_option
@shared_options
def status(*, image: ImageReference, **shared: Unpack[Shared]) -> None:
    """List what is attached to the image in its registry, without verifying it.

    `image verify` says whether it is by whom you trust.
    """
    from sc_secure.steps.session import open_session  # noqa: PLC0415 - light start
    from sc_secure.steps.status import attached  # noqa: PLC0415 - light start

    with open_session(timeout=shared["timeout"], verbose=shared["verbose"]) as session:
        found = attached(session, image)
    if shared["output"] == "json":
        rows = [{"digest": each.digest, "kind": each.kind} for each in found]
        click.echo(json.dumps({"subject": image.subject, "attached": rows}))
    else:
        lines = [f"{each.digest}  {printable(each.kind, limit=200)}" for each in found] or ["nothing is attached"]
        click.echo("\n".join([image.subject, *lines]))
