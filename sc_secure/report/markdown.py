"""Markdown for a pull request's comment (GitHub's flavour: https://github.github.com/gfm/).

Whatever comes from outside stands in code spans, in which nothing is a link, a mention or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sc_secure.policy.severity import EVERY_WORD
from sc_secure.report import words
from sc_secure.report.document import Finding, Release
from sc_secure.tools.text import printable

MARKER = "<!-- sc-secure:release -->"
"""By which a bot finds its own comment again, to write it anew."""
_SHOWN = 20
"""Findings in each table: a comment has at most 65,536 characters."""
_LONGEST = 200


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
    yield f"- Image: {_code(release.repository)}"
    yield f"- Digest: {_code(release.digest)}"
    if release.environment:
        yield f"- Environment: {_code(release.environment)}"
    if release.policy:
        yield f"- Policy: {_code(release.policy)}"


def _failure(release: Release) -> Iterator[str]:
    if release.failure:
        lines = [*release.failure.message.splitlines(), *release.failure.advice.splitlines()]
        yield _block(lines, "text")


def _found(release: Release) -> Iterator[str]:
    scan = release.scan
    if scan is None:
        return
    yield "### Findings"
    heads = [*EVERY_WORD, "ignored"]
    numbers = {**scan.counts, "ignored": scan.ignored}
    yield _table(heads, [[str(numbers.get(head, 0)) for head in heads]])
    facts = [*words.rules(scan), *words.scanners(scan)]
    yield "\n".join(f"- {_code(name)}: {_code(value)}" for name, value in facts)
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
            _code(f"{each.package} {each.version}"),
            _code(words.fixed(each)) if each.fixed_in else "no fix yet",
            _code(each.reason),
        ]
        for each in findings[:_SHOWN]
    ]
    table = _table(["", "severity", "vulnerability", "package", "fixed in", "because of"], rows)
    return table + _more(len(findings))


def _ignored(release: Release) -> Iterator[str]:
    ignored = release.findings("ignore")
    if ignored:
        yield "### Ignored"
        rows = [
            [each.severity, _linked(each), _code(f"{each.package} {each.version}"), _code(each.reason)]
            for each in ignored[:_SHOWN]
        ]
        yield _table(["severity", "vulnerability", "package", "because of"], rows) + _more(len(ignored))


def _more(count: int) -> str:
    return f"\n\n{count - _SHOWN} more are in `release.json`." if count > _SHOWN else ""


def _steps(release: Release) -> Iterator[str]:
    if release.steps:
        yield "### Steps"
        yield _table(
            ["step", "result", "time", "tool"],
            [
                [
                    _plain(words.title(step.name)),
                    words.STATUSES[step.status],
                    words.seconds(step),
                    _code(f"{step.tool.name} {step.tool.version}") if step.tool else "",
                ]
                for step in release.steps
            ],
        )
    if release.warnings:
        yield "\n".join(f"- Warning: {_code(warning)}" for warning in release.warnings[:_SHOWN])


def _attached(release: Release) -> Iterator[str]:
    if release.attachments:
        yield "### Attached to the image"
        yield _table(
            ["what", "manifest"],
            [[_plain(words.kind(each)), _code(each.digest)] for each in release.attachments],
        )


def _by_hand(release: Release) -> Iterator[str]:
    commands = words.by_hand(release)
    if commands:
        lines = [line for each in commands for line in (f"# {each.what}", each.command)]
        yield "### Verify by hand"
        yield _block(lines, "sh")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _linked(finding: Finding) -> str:
    """The vulnerability's name, linked to its page if that is an ordinary one."""
    url = words.web_address(finding.url).replace("|", "%7C")
    return f"[{_code(finding.id)}](<{url}>)" if url else _code(finding.id)


def _code(text: str) -> str:
    """A code span (GFM, 6.3) that holds in a table's cell too: with a fence that the text can't close.

    A pipe would end the cell first, and whether a backslash saves it depends on those before it.
    """
    shown = printable(text, limit=_LONGEST).replace("|", "¦")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest or not shown.strip() else ""
    return f"{fence}{pad}{shown or ' '}{pad}{fence}"


def _plain(text: str) -> str:
    """Words of ours as they are, everything else as a code span."""
    return text if re.fullmatch(r"[A-Za-z0-9 ()-]+", text, re.ASCII) else _code(text)


def _block(lines: Sequence[str], language: str) -> str:
    """A fenced block that its content can't close."""
    shown = "\n".join(printable(line, limit=2000) for line in lines)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{shown}\n{fence}"
