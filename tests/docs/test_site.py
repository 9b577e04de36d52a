"""The documentation as a website: it builds strictly, every link and anchor leads somewhere, and nothing is fetched."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from devtools import browser
from devtools.docs_site import ROOT_PAGES
from tests.docs.test_readme import ROOT
from tests.report.browser import browse

PAGES = [ROOT / name for name in ROOT_PAGES] + sorted((ROOT / "docs").rglob("*.md"))
ELSEWHERE = sorted((ROOT / "examples").glob("*/README.md"))
TESTS = {file: file.read_text() for file in (ROOT / "tests").rglob("test_*.py")}
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}
READER = MarkdownIt("commonmark").enable("table")


def build(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """As `make docs` builds it."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "built"
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_make_docs_builds_it() -> None:
    shown = subprocess.run(["make", "-n", "docs"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "-m mkdocs build --strict" in shown
    ignored = subprocess.run(["git", "check-ignore", "build/docs"], cwd=ROOT, capture_output=True, check=False)
    assert ignored.returncode == 0


def test_whatever_is_broken_ends_the_build(tmp_path: Path) -> None:
    broken = [
        ("docs/keys.md", "[x](nowhere.md)", "nowhere.md"),
        ("docs/keys.md", "[x](keyless.md#nowhere)", "#nowhere"),
        ("docs/keys.md", "[x](../examples/nowhere)", "examples/nowhere"),
        ("README.md", "[x](docs/no-page.md)", "docs/no-page.md"),
        ("docs/forgotten.md", "# In no navigation", "forgotten.md"),
    ]
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "docs", copy / "docs")
    for name in ("mkdocs.yml", "devtools/docs_site.py", *ROOT_PAGES):
        (copy / name).parent.mkdir(exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    for name in ("examples", "policy", "schema.json"):
        (copy / name).symlink_to(ROOT / name)
    for page, added, _ in broken:
        with (copy / page).open("a") as file:
            file.write(f"\n{added}\n")
    done = build(copy, tmp_path / "site")
    assert f"Aborted with {len(broken)} warnings" in done.stdout + done.stderr
    assert done.returncode != 0
    for _, _, said in broken:
        assert said in done.stderr.partition("WARNING")[2]


@pytest.mark.parametrize("page", PAGES + ELSEWHERE, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_anchors_lead_somewhere_in_the_repository(page: Path) -> None:
    for target in _links(READER.parse(page.read_text())):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{target}: there is no such file"
        if anchor:
            assert anchor in _anchors(file), f"{target}: {file.name} has no such heading"


@pytest.mark.parametrize("page", PAGES + ELSEWHERE, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_can_be_run_on_a_page_is_in_a_test(page: Path) -> None:
    """That some test names the page, or its example: whether it runs everything on it is for its reader to see."""
    if re.search(r"^```(sh|python|yaml|json)", page.read_text(), re.MULTILINE):
        folder = str(page.parent.relative_to(ROOT))
        name = folder if folder.startswith("examples/") else str(page.relative_to(ROOT))
        quoted = [name, f'"{page.parent.name}"'] if folder.startswith("examples/") else [name]
        assert [file for file in TESTS if any(each in TESTS[file] for each in quoted)], f"no test is about {name}"


def test_the_site_has_every_page_with_all_that_is_on_it(site: Path) -> None:
    """MkDocs' Markdown isn't CommonMark: a list right under a paragraph, for one, would be text."""
    for page in PAGES:
        uri = ROOT_PAGES.get(page.name, page.name) if page.parent == ROOT else str(page.relative_to(ROOT / "docs"))
        shown = (site / re.sub(r"README\.md$", "index.md", uri)).with_suffix(".html").read_text()
        article = shown[shown.index("<article") : shown.index("</article>")]
        expected = READER.render(page.read_text())
        for element in ("h2", "h3", "li", "table", "tr", "pre", "img"):
            found, wanted = (len(re.findall(rf"<{element}[ >]", text)) for text in (article, expected))
            assert found == wanted, f"{uri}: {found} <{element}>, and not {wanted}"


def test_no_page_names_anything_to_fetch_from_elsewhere(site: Path) -> None:
    for file in site.rglob("*.html"):
        loaded = _Loaded()
        loaded.feed(file.read_text())
        assert loaded.addresses
        assert not [each for each in loaded.addresses if re.match(r"[a-z]+:|//", each) and not each.startswith("data:")]
    for file in site.rglob("*.css"):
        addresses = re.findall(r"(?:url\(|@import )[\"']?([^\"')]+)", file.read_text())
        assert not [each for each in addresses if re.match(r"https?:|//", each)], file


@pytest.mark.engine
def test_a_browser_fetches_nothing_from_elsewhere(site: Path) -> None:
    with browse(browser.ensure()) as shown:
        for name in ("index.html", "cli.html", "benchmarks/index.html"):
            shown.open(site / name, width=1200)
            assert shown.run("return document.querySelector('article h1').innerText")
            asked = shown.requested()
            assert len(asked) > 3
            assert not [each for each in asked if not each.startswith((site.as_uri(), "data:"))]


def _links(tokens: list[Token]) -> list[str]:
    found: list[str] = []
    for token in tokens:
        found += [str(value) for name, value in token.attrs.items() if name in ("href", "src")]
        found += _links(token.children or [])
    return found


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as a Git host makes them."""
    tokens = READER.parse(page.read_text())
    titles = [tokens[place + 1] for place, token in enumerate(tokens) if token.type == "heading_open"]
    texts = ["".join(child.content for child in title.children or []) for title in titles]
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in texts}


class _Loaded(HTMLParser):
    """The addresses of what a browser loads with a page, without being asked."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        given = dict(attrs)
        if tag == "link" and given.get("rel") in ("prev", "next", "canonical"):
            return
        if address := given.get(LOADS.get(tag, "")):
            self.addresses.append(address)
