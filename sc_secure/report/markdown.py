"""Markdown for a pull request's comment (GitHub's flavour: https://github.github.com/gfm/).

Whatever comes from outside stands in code spans, in which nothing is a link, a mention or HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sc_secure.policy.severity import EVERY_WORD
from sc_secure.report import words
from sc_secure.report.document import Attachment, Finding, Release
from sc_secure.report.gfm import block, code, plain, table

MARKER = "<!-- sc-secure:release -->"
"""By which a bot finds its own comment again, to write it anew."""
_SHOWN = 20
"""Findings in each table: a comment has at most 65,536 characters."""


def write(release: Release) -> bytes:
    """The document as Markdown."""
    parts = [
        MARKER,
        f"## {words.headline(release)}",
        "\n".join(_about(release)),
        *_failure(release),
        *_found(release),
        *_ignored(release),
        *_steps(release),
        *_attached(release),
        *_by_hand(release),
    ]
    return ("\n\n".join(part for part in parts if part) + "\n").encode("utf-8", "replace")


def _about(release: Release) -> Iterator[str]:
    yield f"{words.consequence(release)}".strip() or "See below."
    yield ""
    yield f"- Image: {code(release.repository)}"
    yield f"- Digest: {code(release.digest)}"
    if release.environment:
        yield f"- Environment: {code(release.environment)}"
    if release.policy:
        yield f"- Policy: {code(release.policy)}"


def _failure(release: Release) -> Iterator[str]:
    if release.failure:
        lines = [*release.failure.message.splitlines(), *release.failure.advice.splitlines()]
        yield block(lines, "text")


def _found(release: Release) -> Iterator[str]:
    scan = release.scan
    if scan is None:
        return
    yield "### Findings"
    heads = [*EVERY_WORD, "ignored"]
    numbers = {**scan.counts, "ignored": scan.ignored}
    yield table(heads, [[str(numbers.get(head, 0)) for head in heads]])
    facts = [*words.rules(scan), *words.scanners(scan)]
    yield "\n".join(f"- {code(name)}: {code(value)}" for name, value in facts)
    if scan.findings is None:
        yield "Only the counts are known here: the scan's document isn't on this machine."
        return
    yield _findings([*release.findings("fail"), *release.findings("warn")])
    below = len(release.findings("allow"))
    yield f"{words.counted(below, 'finding')} below the policy's thresholds." if below else ""


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    rows = [
        [
            "**fail**" if each.action == "fail" else each.action,
            each.severity,
            _linked(each),
            code(f"{each.package} {each.version}"),
            code(words.fixed(each)) if each.fixed_in else "no fix yet",
            code(each.reason),
        ]
        for each in findings[:_SHOWN]
    ]
    heads = ["", "severity", "vulnerability", "package", "fixed in", "because of"]
    return table(heads, rows) + _more(len(findings))


def _ignored(release: Release) -> Iterator[str]:
    ignored = release.findings("ignore")
    if ignored:
        yield "### Ignored"
        rows = [
            [each.severity, _linked(each), code(f"{each.package} {each.version}"), code(each.reason)]
            for each in ignored[:_SHOWN]
        ]
        yield table(["severity", "vulnerability", "package", "because of"], rows) + _more(len(ignored))


def _more(count: int) -> str:
    return f"\n\n{count - _SHOWN} more are in `release.json`." if count > _SHOWN else ""


def _steps(release: Release) -> Iterator[str]:
    if release.steps:
        yield "### Steps"
        yield table(
            ["step", "result", "time", "tool"],
            [
                [
                    plain(words.title(step.name)),
                    words.STATUSES[step.status],
                    words.seconds(step),
                    code(f"{step.tool.name} {step.tool.version}") if step.tool else "",
                ]
                for step in release.steps
            ],
        )
    if release.warnings:
        yield "\n".join(f"- Warning: {code(warning)}" for warning in release.warnings[:_SHOWN])


def _attached(release: Release) -> Iterator[str]:
    if release.attachments:
        yield "### Attached to the image"
        yield table(
            ["what", "manifest", "log entry"],
            [[plain(words.kind(each)), code(each.digest), _logged(each)] for each in release.attachments],
        )


def _logged(attachment: Attachment) -> str:
    entry, page = words.logged(attachment), words.log_page(attachment)
    return f"[{code(entry)}](<{page}>)" if page else code(entry) if entry else ""


def _by_hand(release: Release) -> Iterator[str]:
    commands = words.by_hand(release)
    if commands:
        lines = [line for each in commands for line in (f"# {each.what}", each.command)]
        yield "### Verify by hand"
        yield block(lines, "sh")


def _linked(finding: Finding) -> str:
    """The vulnerability's name, linked to its page if that is an ordinary one."""
    url = words.web_address(finding.url).replace("|", "%7C")
    return f"[{code(finding.id)}](<{url}>)" if url else code(finding.id)
