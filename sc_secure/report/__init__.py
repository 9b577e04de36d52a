"""What a release's reports are made of, and how each is written: JSON, Markdown, SARIF and one HTML page.

Pure: a writer turns a document into bytes, the same each time, and reads and runs nothing.
"""

from __future__ import annotations

from sc_secure.report import html, markdown, sarif
from sc_secure.report.document import Release

JSON, MARKDOWN, SARIF, HTML = "release.json", "release.md", "release.sarif", "release.html"
"""The reports' file names, in an image's folder of documents."""


def write_json(release: Release) -> bytes:
    """The document itself."""
    return (release.model_dump_json(indent=2, exclude_none=True) + "\n").encode()


def write_all(release: Release) -> dict[str, bytes]:
    """Every report's file name, and its content."""
    return {
        JSON: write_json(release),
        MARKDOWN: markdown.write(release),
        SARIF: sarif.write(release),
        HTML: html.write(release),
    }
