"""Names that somebody chose to do harm, in an image and in what a scanner says of it: shown everywhere, doing nothing.

The scanner is the real one; what it prints is changed on the way, since no real package has such names.
"""

import html
import json
from pathlib import Path

import pytest

from tests.command_line import in_process, wrap
from tests.images import VULNERABLE
from tests.steps.conftest import PushImage

NAME = "a`touch pwned`$(touch pwned);touch pwned|<img src=x onerror=alert(1)>\x1b[2J\u202e{0.__class__}%s|"
POLICY = """
security:
  scan: {failOn: high}
  sbom: {}
  signing: {key: cosign.key, verify: {key: cosign.pub}}
"""


@pytest.mark.parametrize("output", ["", " --output json"])
def test_names_are_shown_and_do_nothing(
    *,
    tools_env: dict[str, str],
    new_image: PushImage,
    project: Path,
    key: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    output: str,
) -> None:
    image = new_image({**VULNERABLE, "x$(touch pwned)": "1;touch pwned"})
    name = project.parent / "name.json"
    name.write_text(json.dumps(NAME))
    change = (
        "import json, sys; report = json.load(sys.stdin); name = json.load(open(sys.argv[1]));"
        "[match['artifact'].update(name=name, version=name) for match in report['matches']];"
        "[match['vulnerability'].update(dataSource='javascript:alert(1)') for match in report['matches']];"
        "json.dump(report, sys.stdout)"
    )
    script = f'case "$1" in sbom:*) "$real" "$@" | python3 -c "{change}" {name};; *) exec "$real" "$@";; esac'
    env = {**wrap(project / "bin", tools_env, "grype", script), "COSIGN_PASSWORD": "test"}
    (project / "policy.yaml").write_text(POLICY)
    assert key
    done = in_process(env, project, monkeypatch, capsys)(
        f"release create --image {image} --policy policy.yaml -v{output}"
    )
    assert done.code == 3, done.stderr
    said = done.stdout + done.stderr
    assert "touch pwned" in said
    assert not {"\x1b", "\u202e"} & set(said)
    assert not any(path.name == "pwned" for path in project.parent.rglob("*"))
    (page,) = (project / ".sc").rglob("release.html")
    assert html.escape("<img src=x") in page.read_text()
    for report in ("release.html", "release.md", "release.sarif", "release.json"):
        (file,) = (project / ".sc").rglob(report)
        text = file.read_text()
        assert "touch pwned" in text
        # A document for machines holds the name as it is, in JSON's escapes.
        assert not ({"\x1b"} if report.endswith(".json") else {"\x1b", "\u202e"}) & set(text)
        if report.endswith("html"):
            assert "<img" not in text
            assert 'href="javascript' not in text
