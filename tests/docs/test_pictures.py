"""docs/pictures/: what real runs print and write, with what differs from run to run taken out.

With `SC_SECURE_UPDATE_PICTURES=1` (`make pictures`) the pictures are made anew, with a browser for the page.
"""

import json
import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from devtools import browser, pictures
from sc_secure.tools.table import tool
from tests.docs.test_readme import ROOT, blocks
from tests.engine.conftest import NewProject, new_project  # noqa: F401 - a fixture
from tests.engine.secured_project import SecuredProject
from tests.report.browser import browse

# ruff: noqa: F811 - a fixture's name is an argument's

UPDATE = "SC_SECURE_UPDATE_PICTURES"
PREVIEW, GATE, REPORT = (pictures.FOLDER / f"{name}.svg" for name in ("preview", "closed-gate", "report"))
WIDTH, HEIGHT = 900, 740
SERIALIZED = "return new XMLSerializer().serializeToString(document.body)"


@pytest.mark.engine
def test_they_show_what_real_runs_say(new_project: NewProject, tmp_path: Path) -> None:
    """The program of docs/start.md: its update's report, and what a stricter policy shows and then stops."""
    (program,) = blocks(ROOT / "docs/start.md", "python")
    project = new_project(program)
    project.environment["COSIGN_PASSWORD"] = "test"
    assert project.up().code == 0
    made = project.run("sh", "-c", "pulumi stack export | .sc/bin/sc-secure report --output json")
    page = project.folder / json.loads(made.stdout)["reports"]["html"]
    project.configure("failOn", "high")
    preview = _printed(project, "preview", "--diff")
    gate = _printed(project, "up", "--yes", "--skip-preview", "--suppress-outputs", code=255)

    places = {project.registry: "registry.example/team"}
    shown = {
        PREVIEW: pictures.terminal(pictures.stable(_of_preview(preview), places), "a stricter policy in a preview"),
        GATE: pictures.terminal(pictures.stable(_of_gate(gate), places), "what it then stops"),
    }
    report = pictures.stable(page.read_text(), places)
    if os.environ.get(UPDATE):
        pictures.FOLDER.mkdir(exist_ok=True)
        for file, drawn in shown.items():
            file.write_text(drawn)
        REPORT.write_text(_photographed(report, tmp_path))
    for file, drawn in shown.items():
        assert file.read_text() == drawn, "look at the difference, then: make pictures"
    assert pictures.words(REPORT.read_text()) == pictures.words(report), "look at the difference, then: make pictures"


@pytest.mark.parametrize("file", [PREVIEW, GATE, REPORT], ids=lambda file: file.stem)
def test_each_is_small_shows_no_machine_and_is_on_a_page(file: Path) -> None:
    text = file.read_text()
    assert len(text) < 60_000
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - ours
    assert not re.findall(
        r"127\.0\.0\.1|localhost|/(?:root|home|tmp|usr|var|work|opt)/|@font-face|<script|@import", text
    )
    assert not re.findall(r"(?:src|xlink:href)=|url\((?!#)", text), "it asks for nothing from elsewhere"
    assert f"docs/pictures/{file.name}" in (ROOT / "README.md").read_text()


def test_a_hash_becomes_the_same_one_each_time_and_a_time_another() -> None:
    digest, other = "0123456789abcdef" * 4, "e" * 64
    text = pictures.stable(
        f"{digest} {digest[:12]}… {other} 2026-11-30T21:56:49Z 19.3 s (5s) here cosign 3.9.9", {"here": "x"}
    )
    first, short, second, rest = text.split(" ", 3)
    assert (len(first), short, len(second)) == (64, f"{first[:12]}…", 64)
    assert len({digest, other, first, second}) == 4
    assert rest == f"2026-12-01 09:00Z 1 s (1 s) x cosign {tool('cosign').pinned}"
    assert pictures.stable(f"{other} {digest}", {}) == f"{first} {second}"


def _printed(project: SecuredProject, *command: str, code: int = 0) -> str:
    done = project.run("pulumi", *command, "--color", "always", "--non-interactive", "--stack", "dev")
    assert (done.returncode != 0) == (code != 0), done.stdout + done.stderr
    return done.stdout


def _of_preview(printed: str) -> str:
    """Without the resources that stay as they are, and the names that only the engine has."""
    lines = printed.splitlines()
    kept = [line for line in lines if not re.search(r"\[(id|provider)=|pulumi:Stack", line)]
    return "\n".join(["$ pulumi preview --diff", *kept])


def _of_gate(printed: str) -> str:
    """Our step's words, among the progress and what follows from its end: the engine's order isn't always the same."""
    lines = printed.splitlines()
    title = next(number for number, line in enumerate(lines) if "Diagnostics:" in line)
    begin = next(number for number, line in enumerate(lines) if number > title and "Command (hello-scan)" in line)
    end = next(number for number, line in enumerate(lines) if number > begin and not line.strip())
    return "\n".join(["$ pulumi up --yes", "…", lines[title], *lines[begin:end]])


def _photographed(report: str, folder: Path) -> str:
    """The page's upper part, as a browser has read it."""
    file = folder / "report.html"
    file.write_text(report)
    with browse(browser.ensure()) as shown:
        shown.open(file, width=WIDTH)
        body = shown.run(SERIALIZED)
        style = shown.run("return document.querySelector('style').textContent")
    return pictures.page(body, style, WIDTH, HEIGHT)
