"""docs/limits.md: its versions are those that are taken and pinned, and its bounds those of the code."""

import re
import tomllib

from sc_secure.components import _build
from sc_secure.policy import document, ignore_rule
from sc_secure.steps import platforms, result
from sc_secure.tools.table import TOOLS
from tests.docs.test_readme import ROOT

PAGE = (ROOT / "docs/limits.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements-dev.lock").read_text(), re.MULTILINE))
PROGRAMS = ("pulumi", "cosign", "syft", "grype", "trivy")


def versions() -> str:
    """The table, as it has to be."""
    rows = [f"| {tool.name} | {tool.minimum} | {tool.pinned} |" for tool in TOOLS if tool.name in PROGRAMS]
    extras = [each for extra in PROJECT["optional-dependencies"].values() for each in extra]
    for needed in (*PROJECT["dependencies"], *extras):
        name, oldest = needed.split(">=")
        if name.startswith("pulumi"):
            rows.append(f"| the package {name} | {oldest} | {LOCK[name]} |")
    return "\n".join(rows) + "\n"


def test_the_versions() -> None:
    assert versions() in PAGE, f"the table has to be:\n{versions()}"
    assert PROJECT["requires-python"] == ">=3.11"
    assert "| Python | 3.11 |" in PAGE


def test_the_bounds() -> None:
    (bounds,) = re.findall(r"^- At most (.*?)(?=^- )", PAGE, re.MULTILINE | re.DOTALL)
    assert platforms.MAX_PLATFORMS == _build._MAX_PLATFORMS
    for number, what in (
        (platforms.MAX_PLATFORMS, "platforms"),
        (ignore_rule.MAX_RULES, "ignore rules"),
        (document.MAX_FILE_BYTES // 1024, "KiB of a policy"),
        (result.MAX_BYTES // 1024, "KiB of a step"),
    ):
        assert f"{number} {what}" in bounds
