"""`sc-secure image scan`."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from sc_secure.cli._epilog import epilog
from sc_secure.cli._scan_rules import ScanFlags, rules_of, scan_options
from sc_secure.cli._shared import (
    Shared,
    Soft,
    image_option,
    run_step,
    save_option,
    shared_of,
    shared_options,
    soft_option,
)
from sc_secure.policy.limits import DEFAULT_TOOLS
from sc_secure.tools.reference import ImageReference


class _ScanValues(ScanFlags, Soft, Shared):
    """The values of the `scan_options` and the `soft_option`, beside the shared ones."""


@click.command(
    epilog=epilog(
        "sc-secure image scan --image $REF --fail-on high",
        "sc-secure image scan --image $REF --fail-on critical --warn-on medium --only-fixed --vex vex.json",
        "sc-secure image scan --image $REF --ignore 'CVE-2023-30608 in sqlparse until 2027-03-31: not reachable'",
        codes=(0, 2, 3, 4, 5, 6, 7),
    )
)
@image_option
@scan_options
@click.option(
    "--tool",
    "tools",
    multiple=True,
    default=DEFAULT_TOOLS,
    show_default=True,
    metavar="NAME",
    help="A scanner. May be given again: all run at once, and what they find is one list.",
)
@click.option(
    "--tool-optional",
    "optional",
    multiple=True,
    metavar="NAME",
    help="A scanner of --tool that is left out, with a warning, if it can't run. May be given again.",
)
@click.option(
    "--sbom",
    "sbom_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A syft-json catalogue of this image.  [default: the one under --artifacts, made if missing]",
)
@save_option
@soft_option
@shared_options
def scan(
    *,
    image: ImageReference,
    tools: tuple[str, ...],
    optional: tuple[str, ...],
    sbom_file: Path | None,
    save: Path | None,
    **values: Unpack[_ScanValues],
) -> None:
    """Scan the image for known vulnerabilities.

    Writes scan.json (every finding, with the decision and its reason) under --artifacts, and exits with 3
    if the policy is violated.
    """
    from sc_secure.steps import scan as step  # noqa: PLC0415 - light start

    rules = rules_of(values)
    run_step(
        image,
        "scan",
        lambda session: step.scan(
            session, image, rules, tools=tools, optional=optional, sbom_file=sbom_file, save=save
        ),
        allow_failure=values["allow_failure"],
        **shared_of(values),
    )
