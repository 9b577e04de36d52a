"""The page, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools import browser
from sc_secure.report import html
from sc_secure.report.document import Release
from tests.report import documents
from tests.report.browser import Page, browse

DOCUMENTS = {"secured": documents.secured, "refused": documents.refused, "hostile": documents.hostile}
PHONE, DESK = 360, 1280
CONTRAST = """
const number = text => (text.match(/[\\d.]+/g) || []).map(Number);
const light = c => { const v = c.slice(0, 3).map(x => (x /= 255) <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
  return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
const back = e => { for (; e; e = e.parentElement) { const c = number(getComputedStyle(e).backgroundColor);
  if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
let worst = 99;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node; node = walker.nextNode();) {
  const parent = node.parentElement;
  if (!node.data.trim() || parent.closest('svg') || !parent.checkVisibility()) continue;
  const [a, b] = [light(number(getComputedStyle(parent).color)), light(back(parent))];
  worst = Math.min(worst, (Math.max(a, b) + .05) / (Math.min(a, b) + .05));
}
return worst;
"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browse(browser.ensure()) as opened:
        yield opened


@pytest.fixture
def show(page: Page, tmp_path: Path):
    def write_and_open(release: Release, width: int = DESK, *, dark: bool = False) -> Page:
        file = tmp_path / "release.html"
        file.write_bytes(html.write(release))
        page.open(file, width=width, dark=dark)
        return page

    return write_and_open


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_readable(show, name: str, width: int, *, dark: bool) -> None:
    page = show(DOCUMENTS[name](), width, dark=dark)
    assert page.complaints() == []
    assert page.run("return innerWidth") == width
    assert page.run("return document.documentElement.scrollWidth") <= width
    shown = page.run("return [...document.querySelectorAll('svg')].map(e => getComputedStyle(e).display)")
    assert shown == (["block", "none"] if width == DESK else ["none", "block"])
    assert page.run(CONTRAST) >= 4.5  # WCAG 2.2, 1.4.3
    paper = page.run("return getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(18, 22, 27)" if dark else "rgb(255, 255, 255)")


def test_nothing_is_fetched(show) -> None:
    page = show(documents.hostile())
    (only,) = page.requested()
    assert only.endswith("/release.html")


def test_hostile_names_stay_text(show) -> None:
    page = show(documents.hostile())
    assert "owned" not in page.run("return document.title").split("title=")[0]
    assert page.run("return document.querySelectorAll('script, img, iframe, object, form, input').length") == 0
    attributes = "return [...document.querySelectorAll('*')].flatMap(e => [...e.attributes].map(a => a.name))"
    assert not {name for name in page.run(attributes) if name.startswith("on") or name == "style"}
    links = page.run("return [...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    assert all(link.startswith("https://") for link in links)
    text = page.run("return document.body.textContent")
    for name in documents.HOSTILE[:4]:
        assert name in text


def test_the_policy_keeps_out_what_escaping_might_miss(show, tmp_path: Path, page: Page) -> None:
    file = tmp_path / "broken.html"
    attack = b"<script>document.title='owned'</script><img src=http://127.0.0.1:1/x onerror=document.title='owned'>"
    file.write_bytes(html.write(documents.secured()).replace(b"</main>", attack + b"</main>"))
    page.open(file, width=DESK)
    assert page.run("return document.title").startswith("Secured")
    assert len(page.complaints()) >= 2


def test_all_of_it_is_on_paper(show, page: Page) -> None:
    show(documents.refused())
    closed = "return document.querySelector('details table').checkVisibility()"
    assert page.run(closed) is False
    page._devtools("Emulation.setEmulatedMedia", media="print")
    assert page.run(closed) is True
