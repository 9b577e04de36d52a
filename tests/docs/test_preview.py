"""docs/preview.md quotes the texts that tests/engine/test_preview.py compares with real previews.

With `SC_SECURE_UPDATE_GOLDEN=1` the page's quotations are written anew.
"""

import os
import re

from tests.docs.test_readme import ROOT
from tests.engine.test_preview import CHANGES, GOLDEN, POLICY, UPDATE

PAGE = ROOT / "docs/preview.md"
QUOTATION = re.compile(r"^```text (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_text_is_quoted_as_it_is() -> None:
    texts = {file.stem: file.read_text() for file in GOLDEN.glob("*.txt")}
    assert set(texts) == {"first", "no-change", *POLICY, *CHANGES}
    if os.environ.get(UPDATE):
        page = QUOTATION.sub(lambda found: f"```text {found[1]}\n{texts[found[1]]}```", PAGE.read_text())
        PAGE.write_text(page)
    quoted = dict(QUOTATION.findall(PAGE.read_text()))
    assert quoted == {name: texts[name] for name in quoted}
    assert set(quoted.values()) == set(texts.values())


def test_what_must_not_show_shows_nothing() -> None:
    """Not to be taken as it is by an update of the texts."""
    texts = {name: (GOLDEN / f"{name}.txt").read_text() for name in ("first", "no-change", *POLICY, *CHANGES)}
    for name in ("no-change", "package-upgraded", "tools-upgraded", "another-machine"):
        assert texts[name] == texts["no-change"]
        assert texts[name].startswith("no change (")
    for name in (*POLICY, "another-key", "signature-gone"):
        changed = re.findall(r"^ *([-+~]+) (\w+) (\S+)$", texts[name], re.MULTILINE)
        assert {sign for sign, _, _ in changed} <= {"~", "-"}, name
        assert {step for _, _, step in changed if step.startswith("web")} <= {"web-verify"}, name
        assert "output deployable_ref" not in texts[name], name
        assert "output task_definition" not in texts[name], name
