"""`sc-secure image scan|sign|verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from sc_secure.cli._shared import Shared, chosen_key, image_option, key_options, run_step, shared_options
from sc_secure.policy.decision import Policy
from sc_secure.policy.severity import EVERY_WORD, Severity
from sc_secure.tools.reference import ImageReference

_SEVERITY = click.Choice(EVERY_WORD)


@click.group()
def command() -> None:
    """Scan, sign and verify an image."""


@command.command()
@image_option
@click.option(
    "--fail-on",
    type=_SEVERITY,
    default="critical",
    show_default=True,
    help="Findings of this severity and worse fail the scan.",
)
@click.option("--warn-on", type=_SEVERITY, help="Findings of this severity and worse are warned about.")
@click.option("--only-fixed", is_flag=True, help="Findings that no version fixes yet don't fail the scan.")
@click.option("--tool", default="grype", show_default=True, metavar="NAME", help="The scanner.")
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
    fail_on: str,
    warn_on: str | None,
    only_fixed: bool,
    tool: str,
    sbom_file: Path | None,
    **shared: Unpack[Shared],
) -> None:
    """Scan the image's catalogue for known vulnerabilities.

    Writes scan.json (every finding, with the decision and its reason) under --artifacts, and exits with 3
    if the policy is violated.
    """
    from sc_secure.steps import scan as step  # noqa: PLC0415 - light start

    policy = Policy(Severity.parse(fail_on), Severity.parse(warn_on) if warn_on else None, only_fixed)
    run_step(lambda session: step.scan(session, image, policy, tool=tool, sbom_file=sbom_file), **shared)


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
@key_options
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
    key: str | None,
    password_env: str | None,
    keyless: bool,
    transparency_log: bool,
    attestations: tuple[str, ...],
    **shared: Unpack[Shared],
) -> None:
    """Verify the image's signature, and the attestations that are named.

    Exits with 4 if one is missing, by another key, or about another digest.
    """
    from sc_secure.steps import verify as step  # noqa: PLC0415 - light start

    for name in attestations:
        step.predicate_type(name)
    chosen = chosen_key(key, password_env, keyless=keyless, transparency_log=transparency_log)
    run_step(lambda session: step.verify_image(session, image, chosen, attestations), **shared)
