"""`sc-secure report`."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from sc_secure.cli._epilog import epilog
from sc_secure.cli._shared import Output, image_type
from sc_secure.errors import ConfigError, InfrastructureError, ScSecureError
from sc_secure.steps.session import DEFAULT_ARTIFACTS
from sc_secure.tools.reference import ImageReference, parse_reference
from sc_secure.tools.text import printable

if TYPE_CHECKING:
    from sc_secure.report.document import Release, Scan
    from sc_secure.report.state import Recorded

_MAX_BYTES = 512 * 1024 * 1024


@click.command(
    epilog=epilog(
        "pulumi stack export | sc-secure report",
        "sc-secure report --scan .sc/artifacts/…/scan.json --to out",
        codes=(0, 2, 6),
        meanings={6: "the reports can't be written"},
    )
)
@click.option(
    "--stack-state",
    type=click.File("rb"),
    default="-",
    show_default=True,
    metavar="FILE",
    help="What `pulumi stack export` prints; `-` is standard input.",
)
@click.option(
    "--scan",
    "scan_file",
    type=click.File("rb"),
    metavar="FILE",
    help="Instead of a state: a scan's own document, scan.json, where the scan has ended the update.",
)
@click.option("--image", type=image_type, metavar="REF", help="The image, where the state holds several.")
@click.option(
    "--artifacts", default=DEFAULT_ARTIFACTS, show_default=True, metavar="DIR", help="The folder for documents."
)
@click.option("--to", metavar="DIR", help="Where the reports go.  [default: the image's folder under --artifacts]")
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the result is printed; json is one line.",
)
@click.option("-v", "--verbose", is_flag=True, expose_value=False, help="Show where an unexpected error came from.")
def command(
    *, stack_state: Any, scan_file: Any, image: ImageReference | None, artifacts: str, to: str | None, output: Output
) -> None:
    """Write the reports of an image from a stack's state: release.json, .md, .sarif and .html.

    To be run in the project's folder, as `pulumi stack export | sc-secure report`. Findings are in the reports where
    this machine has the scan's document; elsewhere they hold the counts alone.
    """
    from sc_secure.cli._reports import publish  # noqa: PLC0415 - light start
    from sc_secure.report.building import build  # noqa: PLC0415 - light start
    from sc_secure.report.state import images  # noqa: PLC0415 - light start

    if scan_file is not None:
        refused = _of_scan(scan_file)
        reference = parse_reference(refused.subject)
        publish(refused, Path(to) if to else Path(artifacts) / f"sha256-{reference.hex}", output)
        return
    try:
        found = images(json.loads(stack_state.read(_MAX_BYTES)))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--stack-state: {printable(str(error), limit=200)}") from None
    chosen = _chosen(found, image)
    reference = parse_reference(chosen.subject)
    release = build(
        chosen.subject, chosen.steps, scan=_scan(chosen), verdict=chosen.verdict, signer=chosen.signer, policy="stack"
    )
    publish(release, Path(to) if to else Path(artifacts) / f"sha256-{reference.hex}", output)


def _of_scan(file: Any) -> Release:
    """The reports' document from a scan's alone.

    Raises:
        ConfigError: it isn't one.
    """
    from sc_secure.report.building import build, scan_of  # noqa: PLC0415 - light start
    from sc_secure.report.document import Failure  # noqa: PLC0415 - light start
    from sc_secure.report.words import counted  # noqa: PLC0415 - light start
    from sc_secure.tools.documents import parse_object  # noqa: PLC0415 - light start

    try:
        document = parse_object(file.read(_MAX_BYTES), "a scan's document")
        scan = scan_of(document)
        subject = parse_reference(str(document["subject"])).subject
    except (ValueError, KeyError, ScSecureError) as error:
        raise ConfigError(f"--scan: not a scan's document: {printable(str(error), limit=200)}") from None
    if scan.verdict != "fail":
        return build(subject, [], scan=scan, verdict="incomplete")
    forbidden = sum(finding.action == "fail" for finding in scan.findings or [])
    failure = Failure(step="scan", exit_code=3, message=f"scan: the policy forbids {counted(forbidden, 'finding')}")
    return build(subject, [], scan=scan, failure=failure)


def _chosen(found: list[Recorded], image: ImageReference | None) -> Recorded:
    """The image that is meant.

    Raises:
        ConfigError: the state hasn't got it, or it isn't clear which one is meant.
    """
    if image is not None:
        found = [each for each in found if each.subject == image.subject]
    if len(found) == 1:
        return found[0]
    if not found:
        said = f" of {image.subject}" if image else ""
        raise ConfigError(f"--stack-state: holds no step's result{said}", advice="`pulumi stack export` prints a state")
    names = "\n    ".join(printable(each.subject, limit=300) for each in found)
    raise ConfigError("--image: the state holds several images, so say which one", advice=f"one of\n    {names}")


def _scan(recorded: Recorded) -> Scan | None:
    """The scan's document, if this machine has the very one that the state names."""
    from sc_secure.report.building import scan_of  # noqa: PLC0415 - light start
    from sc_secure.tools.documents import parse_object  # noqa: PLC0415 - light start

    for artifact in (artifact for step in recorded.steps if step.kind == "scan" for artifact in step.artifacts):
        path = PurePosixPath(artifact.path)
        if path.is_absolute() or ".." in path.parts or not Path(path).is_file():
            continue
        with Path(path).open("rb") as file:
            content = file.read(_MAX_BYTES)
        wrong = "isn't what the state names"
        if hashlib.sha256(content).hexdigest() == artifact.sha256:
            try:
                return scan_of(parse_object(content, artifact.path))
            except (ValueError, InfrastructureError):
                wrong = "has another form than this version's"
        print(f"warning: {printable(artifact.path)} {wrong}: only counts are known", file=sys.stderr)
    return None
