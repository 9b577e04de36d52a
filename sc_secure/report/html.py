"""One page that shows a release to a person: self-contained, readable without a script, on paper and on a phone.

Its content security policy allows its own style sheet, by hash, and nothing else. All text from outside is escaped,
and a link is one only if it is an ordinary web address.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from html import escape
from pathlib import Path

from sc_secure.policy.severity import EVERY_WORD
from sc_secure.report import words
from sc_secure.report.document import Attachment, Finding, Release, Step
from sc_secure.report.graph import draw
from sc_secure.tools.text import printable

_SHOWN = 500
"""Findings in each table; all of them are in `release.json`."""
_LONGEST = 600


def write(release: Release) -> bytes:
    """The document as a page."""
    style = _style()
    name = _text(words.headline(release))
    body = "\n".join(
        part
        for section in (_top, _picture, _found, _ignored, _steps, _attached, _by_hand, _foot)
        for part in section(release)
    )
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{name}: {_text(release.repository)}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
    return page.encode("utf-8", "replace")


@cache
def _style() -> str:
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _top(release: Release) -> Iterator[str]:
    yield f'<header><div class="verdict {release.verdict}"><h1>{_text(words.headline(release))}</h1>'
    yield f"<p>{_text(words.consequence(release))}</p></div>"
    rows = [
        ("Image", _code(release.repository)),
        ("Digest", _code(release.digest)),
        ("Environment", _text(release.environment)),
        ("Policy", _text(release.policy)),
        ("When", _when(release.started_at, release.finished_at)),
    ]
    yield "<dl>" + "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows if value) + "</dl>"
    if release.failure:
        said = "\n".join(_text(line, 2000) for line in release.failure.message.splitlines())
        yield f"<h2>Why it stopped</h2><pre>{said}</pre>"
        yield f"<p>{_text(release.failure.advice)}</p>" if release.failure.advice else ""
    yield "</header><main>"


def _picture(release: Release) -> Iterator[str]:
    yield f"<section><h2>The steps</h2>{draw(release, across=True)}{draw(release, across=False)}</section>"


def _found(release: Release) -> Iterator[str]:
    scan = release.scan
    if scan is None:
        return
    yield "<section><h2>What was found, and what was decided</h2>"
    numbers = {**scan.counts, "ignored": scan.ignored}
    items = ((word, numbers.get(word, 0)) for word in (*EVERY_WORD, "ignored"))
    shown = (f'<li class="{word}{" some" if n else ""}"><strong>{n}</strong>{word}</li>' for word, n in items)
    yield f'<ul class="counts">{"".join(shown)}</ul>'
    facts = [*words.rules(scan), *words.scanners(scan)]
    yield "<dl>" + "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts) + "</dl>"
    if scan.findings is None:
        yield "<p>Only the counts are known here: the scan's document isn't on this machine.</p>"
    yield _findings([*release.findings("fail"), *release.findings("warn")])
    below = release.findings("allow")
    if below:
        name = words.counted(len(below), "finding")
        yield f"<details><summary>{name} below the policy's thresholds</summary>{_findings(below)}</details>"
    yield "</section>"


def _ignored(release: Release) -> Iterator[str]:
    ignored = release.findings("ignore")
    if ignored:
        yield f"<section><h2>What doesn't count, and why</h2>{_findings(ignored)}</section>"


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    rows = [
        [
            f'<span class="chip {each.action}">{each.action}</span>',
            f'<span class="chip {each.severity}">{each.severity}</span>',
            _named(each),
            _code(f"{each.package} {each.version}"),
            _text(words.fixed(each)) if each.fixed_in else "no fix yet",
            _text(each.reason),
        ]
        for each in findings[:_SHOWN]
    ]
    table = _table(["Decision", "Severity", "Vulnerability", "Package", "Fixed in", "Because of"], rows)
    left = len(findings) - _SHOWN
    return table + (f"<p>{left} more are in <code>release.json</code>.</p>" if left > 0 else "")


def _named(finding: Finding) -> str:
    url = words.web_address(finding.url)
    name = _text(finding.id)
    shown = f'<a href="{escape(url)}" rel="noopener noreferrer nofollow">{name}</a>' if url else name
    facts = [", ".join(finding.aliases[:3])]
    facts += ["known to be exploited"] if finding.known_exploited else []
    facts += [f"EPSS {finding.epss:.3f}"] if finding.epss is not None else []
    scanners = list(dict.fromkeys(each.scanner for each in finding.sources))
    facts += [f"found by {' and '.join(scanners)}"] if scanners else []
    said = _text("; ".join(fact for fact in facts if fact))
    return f'{shown}<br><span class="soft">{said}</span>' if said else shown


def _steps(release: Release) -> Iterator[str]:
    if not release.steps:
        return
    attached = {part for each in release.attachments for part in (each.kind, each.digest)}
    rows = [
        [
            _text(words.title(each.name)),
            words.STATUSES[each.status],
            words.seconds(each),
            _text(f"{each.tool.name} {each.tool.version}") if each.tool else "",
            _outcome(each, attached),
        ]
        for each in release.steps
    ]
    table = _table(["Step", "Result", "Time", "Tool", "Outcome"], rows)
    warnings = "".join(f"<li>{_text(warning)}</li>" for warning in release.warnings)
    told = f"<h2>Warnings</h2><ul>{warnings}</ul>" if warnings else ""
    yield f"<section><h2>What each step did</h2>{table}</section>{told}"


def _outcome(step: Step, attached: set[str]) -> str:
    """What a step made and found; what it attached has a table of its own."""
    files = [
        f'{_code(each.path)} <span class="soft">sha256 {_text(each.sha256[:16])}…</span>' for each in step.artifacts
    ]
    known = {"", *attached, *(part for each in step.artifacts for part in (each.path, each.sha256))}
    facts = [
        f"{_text(name)} {_text(str(value))}"
        for name, value in step.outputs.items()
        if not isinstance(value, dict) and value not in known
    ]
    return "<br>".join([*files, *([f'<span class="soft">{", ".join(facts)}</span>'] if facts else [])])


def _attached(release: Release) -> Iterator[str]:
    if release.attachments:
        rows = [[_text(words.kind(each)), _code(each.digest), _logged(each)] for each in release.attachments]
        table = _table(["What", "Manifest", "Log entry"], rows)
        yield f"<section><h2>Attached to the image</h2>{table}</section>"


def _logged(attachment: Attachment) -> str:
    entry, page = _text(words.logged(attachment)), words.log_page(attachment)
    return f'<a href="{escape(page)}" rel="noopener noreferrer nofollow">{entry}</a>' if page else entry


def _by_hand(release: Release) -> Iterator[str]:
    commands = words.by_hand(release)
    if commands:
        shown = "".join(f"<p>{_text(each.what)}</p><pre>{_text(each.command, 4000)}</pre>" for each in commands)
        yield f"<section><h2>Verify by hand</h2>{shown}</section>"


def _foot(release: Release) -> Iterator[str]:
    yield f"</main><footer>Written by sc-secure {_text(release.generator.version)}.</footer>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose cells say their column's name, for a page too narrow for columns. Cells are HTML."""
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "".join(
        "<tr>"
        + "".join(f'<td data-label="{name}">{cell}</td>' for name, cell in zip(heads, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(text: str, limit: int = _LONGEST) -> str:
    return escape(printable(text, limit=limit))


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>" if text else ""


def _when(start: datetime | None, end: datetime | None) -> str:
    if start is None or end is None:
        return ""
    return f"{start.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, {(end - start).total_seconds():.1f} s"
