import re
from collections.abc import Iterator

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from sc_secure.report import markdown
from sc_secure.report.building import build, scan_of
from sc_secure.report.document import Release
from tests.report import documents
from tests.report.documents import HOSTILE, finding, hostile, refused, scan_document, secured

GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def _walk(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _walk(token.children or [])


def parsed(release: Release) -> list[Token]:
    return list(_walk(GITHUB.parse(markdown.write(release).decode())))


def rows(release: Release, heading: str) -> list[str]:
    """The lines of the table under a heading."""
    part = markdown.write(release).decode().partition(f"### {heading}\n")[2].partition("\n###")[0]
    return [line for line in part.splitlines() if line.startswith("| ")]


def test_a_refusal() -> None:
    text = markdown.write(refused()).decode()
    assert text.startswith("<!-- sc-secure:release -->\n\n## Refused: the policy forbids 2 findings\n")
    assert "Nothing was signed." in text
    assert "scan.failOn: high forbids 2 findings\nupdate these packages" in text
    assert "| 1 | 1 | 1 | 1 | 0 | 0 | 1 |" in text
    assert rows(refused(), "Findings")[5] == (
        "| **fail** | critical | [`CVE-2026-1`](<https://github.com/advisories/GHSA-2m57-hf25-phgg>) "
        "| `zlib 1:1.2` | no fix yet | `scan.failOn: high` |"
    )
    assert "1 finding below the policy's thresholds." in text
    assert "until 2027-01-01: not reachable" in rows(refused(), "Ignored")[2]
    assert "### Attached" not in text
    assert "| Signature | not run |  | `cosign 3.1.3` |" in text


def test_a_release() -> None:
    text = markdown.write(secured()).decode()
    assert "## Secured\n" in text
    assert "- Environment: `production`" in text
    assert len(rows(secured(), "Attached to the image")) == 2 + 4
    assert "cosign verify --key keys/cosign.pub --insecure-ignore-tlog=true registry.example" in text
    assert "--attestation cyclonedx --attestation slsaprovenance1 --attestation vuln" in text


def test_hostile_text_stays_in_code() -> None:
    tokens = parsed(hostile())
    html = [token.content.strip() for token in tokens if token.type in ("html_block", "html_inline")]
    assert html == [markdown.MARKER]
    assert not [token for token in tokens if token.type == "image"]
    links = [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]
    assert all(link.startswith("https://x/") for link in links)
    outside = "\n".join(token.content for token in tokens if token.type == "text")
    for attack in ("@everyone", "#1", "owned", "javascript:", "secrets.TOKEN"):
        assert attack not in outside
    assert "\x1b" not in markdown.write(hostile()).decode()
    assert "\u202e" not in markdown.write(hostile()).decode()


def test_hostile_text_makes_no_cells_rows_or_headings() -> None:
    block, *tables = re.findall(r"(?:^\|.*\n)+", markdown.write(hostile()).decode(), re.MULTILINE)
    assert block == "| new | row |\n", "in a fenced block, where it is no table"
    assert [len(set(map(len, (line.split("|") for line in table.splitlines())))) for table in tables] == [1] * 4
    found, ignored = (len(hostile().findings(action)) for action in ("fail", "ignore"))
    assert len(tables[2].splitlines()) == 2 + ignored
    assert len(tables[1].splitlines()) == 2 + found + len(hostile().findings("warn"))
    headings = [token.type for token in parsed(hostile())].count("heading_open")
    assert headings == [token.type for token in parsed(refused())].count("heading_open")


@pytest.mark.parametrize("count", [0, 1, 20, 5000])
def test_a_comment_is_never_too_long(count: int) -> None:
    many = [finding(id=f"CVE-2026-{number}", package=HOSTILE[-1], reason=HOSTILE[-1]) for number in range(count)]
    many += [each | {"action": "ignore"} for each in many]
    written = markdown.write(refused(many, "\n".join([HOSTILE[-1]] * 12)))
    assert len(written.decode()) < 65536
    assert (f"{count - 20} more are in" in written.decode()) == (count > 20)


def test_counts_alone() -> None:
    known = scan_of(scan_document()).model_copy(update={"findings": None})
    text = markdown.write(build(documents.SUBJECT, documents.chain(), scan=known)).decode()
    assert "Only the counts are known here" in text
    assert "| 1 | 1 | 1 | 1 | 0 | 0 | 1 |" in text


def test_the_same_bytes_each_time() -> None:
    assert markdown.write(secured()) == markdown.write(secured())
