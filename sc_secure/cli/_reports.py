"""Writing a release's reports into a folder, and printing what came of it."""

from __future__ import annotations

from pathlib import Path

import click

from sc_secure.cli._shared import Output
from sc_secure.report import HTML, JSON, MARKDOWN, SARIF, words, write_all
from sc_secure.report.document import Release, ReleaseResult
from sc_secure.steps.session import shown_path
from sc_secure.tools.text import printable
from sc_secure.tools.workspace import disk_failures, write_file


def publish(release: Release, folder: Path, output: Output) -> None:
    """Write all reports of a release, and print its result: one line of JSON, or a few lines for a person.

    Args:
        release: the document.
        folder: where the reports go.
        output: how the result is printed.

    Raises:
        InfrastructureError: they can't be written.
    """
    with disk_failures():
        for name, content in write_all(release).items():
            write_file(folder / name, content)
    if output == "json":
        result = ReleaseResult(
            subject=release.subject,
            verdict=release.verdict,
            environment=release.environment,
            exit_code=release.failure.exit_code if release.failure else 0,
            counts=release.scan.counts if release.scan else {},
            ignored=release.scan.ignored if release.scan else 0,
            attachments=release.attachments,
            reports={
                "json": shown_path(folder / JSON),
                "md": shown_path(folder / MARKDOWN),
                "html": shown_path(folder / HTML),
                "sarif": shown_path(folder / SARIF),
            },
        )
        click.echo(result.model_dump_json())
        return
    lines = [f"{words.headline(release)}: {release.subject}"]
    lines += [f"  found: {words.counts(release)}"] if release.scan else []
    lines += [f"  {words.kind(each)}: {each.digest}" for each in release.attachments]
    lines.append(f"  report: {shown_path(folder / HTML)}")
    click.echo("\n".join(printable(line, limit=500) for line in lines))
