"""The page's text and structure; `test_page_in_browser.py` shows it to a browser."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from sc_secure.report import html
from sc_secure.report.building import build
from sc_secure.report.document import Release
from tests.report import documents
from tests.report.documents import DIGEST, SUBJECT, finding, hostile, refused, secured, step

VOID = {"meta", "br"}


class _Reader(HTMLParser):
    """Every element with its attributes; an error for one that isn't closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def close(self) -> None:
        super().close()
        assert self._open == []


def read(release: Release) -> list[tuple[str, dict[str, str | None]]]:
    reader = _Reader()
    reader.feed(html.write(release).decode())
    reader.close()
    return reader.elements


@pytest.mark.parametrize("name", ["secured", "refused", "hostile"])
def test_well_formed_and_self_contained(name: str) -> None:
    elements = read(getattr(documents, name)())
    assert {tag for tag, _ in elements} <= {
        *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "div", "p", "br"),
        *("h1", "h2", "dl", "dt", "dd", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "strong", "span"),
        *("code", "pre", "a", "details", "summary", "svg", "g", "rect", "path", "text"),
    }
    for tag, attributes in elements:
        assert not {each for each in attributes if each.startswith("on") or each in ("src", "style")}, (tag, attributes)
        assert attributes.get("href", "https://").startswith("https://")


def test_the_policy_allows_this_style_sheet_alone() -> None:
    page = html.write(secured()).decode()
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'http-equiv="Content-Security-Policy" content="{policy}"' in page
    assert "url(" not in style
    assert "@import" not in style


def test_what_it_says() -> None:
    page = html.write(refused()).decode()
    assert "<h1>Refused: the policy forbids 2 findings</h1>" in page
    assert DIGEST in page
    assert "scan.failOn: high forbids 2 findings" in page
    assert '<span class="chip fail">fail</span>' in page
    assert "known to be exploited; EPSS 0.012; found by grype" in page
    assert "until 2027-01-01: not reachable" in page
    order = [page.index(f">{name}<") for name in ("CVE-2026-1", "GHSA-2m57-hf25-phgg", "CVE-2026-3", "CVE-2026-4")]
    assert order == sorted(order)


def test_what_was_attached_and_how_to_verify_it() -> None:
    page = html.write(secured()).decode()
    assert page.count("<pre>cosign verify-attestation") == 3
    assert "Deployable" in page
    assert "Not deployable" not in page
    assert "Not deployable" in html.write(refused()).decode()


def test_a_private_key_is_turned_into_a_public_one_first() -> None:
    release = secured().model_copy(update={"signer": secured().signer.model_copy(update={"private": True})})
    page = html.write(release).decode()
    assert "cosign public-key --key keys/cosign.pub &gt; cosign.pub" in page
    assert "cosign verify --key cosign.pub" in page


def test_an_identity() -> None:
    signer = secured().signer.model_copy(
        update={"key": "", "identity_regexp": "https://github.com/acme/.*", "oidc_issuer": "https://i.example"}
    )
    page = html.write(secured().model_copy(update={"signer": signer})).decode()
    flags = (
        "&#x27;--certificate-identity-regexp=https://github.com/acme/.*&#x27; --certificate-oidc-issuer=https://i.ex"
    )
    assert f"cosign verify {flags}" in page
    assert "--key" not in page


def test_a_page_of_very_many_findings_stays_small() -> None:
    many = [finding(id=f"CVE-2026-{number}") for number in range(20_000)]
    page = html.write(refused(many))
    assert len(page) < 500_000
    assert b"19500 more are in" in page


def test_each_arrow_starts_and_ends_at_a_box() -> None:
    page = html.write(secured()).decode()
    for picture in re.findall(r"<svg.*?</svg>", page):
        boxes = [tuple(map(float, box)) for box in re.findall(r'<rect x="([\d.]+)" y="([\d.]+)"', picture)]
        assert len(boxes) == len(set(boxes)) == 2 + len(secured().steps)
        width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', picture).groups()
        assert all(x + 122 <= float(width) and y + 50 <= float(height) for x, y in boxes)
        # image, sbom, provenance and scan have one line each to what follows; signing three; the attestations one.
        assert picture.count('class="line"') == 2 + 1 + 1 + 1 + 3 + 3 + 1


def test_steps_that_wait_for_each_other_or_nobody_are_drawn_all_the_same() -> None:
    steps = [step("a", "scan", ("b", "gone")), step("b", "sign", ("a",))]
    assert html.write(build(SUBJECT, steps)).count(b"<rect") == 2 * 4
    assert html.write(build(SUBJECT, [])).count(b"<rect") == 2 * 2


def test_the_same_bytes_each_time() -> None:
    assert html.write(hostile()) == html.write(hostile())
