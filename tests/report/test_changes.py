"""What a pull request's comment says of a preview; previews are as the engine at 3.274 prints them."""

from typing import Any

import pytest
from markdown_it import MarkdownIt

from sc_secure.report import changes
from tests.report.documents import HOSTILE

STACK = "urn:pulumi:dev::shop::"
IMAGE = "sc-secure:index:SecuredImage"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SCAN = ".sc/bin/sc-secure image scan --image repo@sha256:1 --fail-on critical --output json"


def inputs(create: str, attempt: str = "1", **environment: str) -> dict[str, Any]:
    return {"inputs": {"create": create, "environment": {"SC_SECURE_ATTEMPT": attempt, **environment}}}


def step(operation: str, before: Any, after: Any, name: str = "web-scan", within: str = f"{IMAGE}$") -> dict[str, Any]:
    urn = f"{STACK}{within}command:local:Command::{name}"
    states = {"oldState": before, "newState": after}
    return {"op": operation, "urn": urn, **{key: state for key, state in states.items() if state}}


def other(operation: str, kind: str, name: str) -> dict[str, Any]:
    return {"op": operation, "urn": f"{STACK}{kind}::{name}", "newState": {}}


def said(*steps: Any) -> str:
    return changes.write({"steps": list(steps)})


def row(before: Any, after: Any) -> str:
    [line] = [line for line in said(step("update", before, after)).splitlines() if line.startswith("| `web-scan`")]
    return line


def test_nothing_changes() -> None:
    same = step("same", inputs(SCAN), inputs(SCAN))
    parts = [other("create", IMAGE, "web"), other("create", "pulumi:pulumi:Stack", "shop-dev")]
    assert said(same, *parts) == "<!-- sc-secure:changes -->\n\n## Security: nothing changes\n"


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        (inputs(SCAN), inputs(SCAN.replace("critical", "high")), "`--fail-on critical` → `high`"),
        (inputs(SCAN), inputs(f"{SCAN} --only-fixed"), "new: `--only-fixed`"),
        (inputs(f"{SCAN} --ignore 'CVE-1 in x'"), inputs(SCAN), "no more `--ignore CVE-1 in x`"),
        (inputs(SCAN), inputs(SCAN.replace(":1", ":2")), "another image"),
        (inputs(SCAN), inputs(UNKNOWN), "an image that is still to be built"),
        (inputs(SCAN), inputs(SCAN, "2"), "runs again"),
        (inputs(SCAN, KEY="1"), inputs(SCAN, KEY="2"), "`KEY` changed"),
        (inputs(f"{SCAN} --vex a --vex b"), inputs(f"{SCAN} --vex b --vex c"), "`--vex a` → `c`"),
        (None, inputs(SCAN), "`image scan`"),
    ],
)
def test_what_changes_in_a_step(before: Any, after: Any, what: str) -> None:
    assert row(before, after) == f"| `web-scan` | update | {what} |"


def test_the_same_for_machines() -> None:
    more = SCAN.replace("critical", "high") + " --only-fixed --vex a"
    document = changes.document(
        {"steps": [step("update", inputs(SCAN), inputs(more, "2")), step("create", None, inputs(UNKNOWN), "new")]},
        {"a": "1"},
        {"b": "2"},
    )
    assert document["policy"] == [
        {"path": "a", "before": "1", "after": None},
        {"path": "b", "before": None, "after": "2"},
    ]
    changed, new = document["steps"]
    assert (changed["name"], changed["operation"], changed["command"]) == ("web-scan", "update", "image scan")
    assert changed["flags"] == [
        {"flag": "--fail-on", "before": ["critical"], "after": ["high"]},
        {"flag": "--only-fixed", "before": [], "after": [""]},
        {"flag": "--vex", "before": [], "after": ["a"]},
    ]
    assert changed["environment"] == ["SC_SECURE_ATTEMPT"]
    assert new == {"name": "new", "operation": "create", "command": "", "flags": [], "environment": []}
    service = {"steps": [other("update", "aws:ecs/service:Service", "web")]}
    assert changes.document(service)["others"] == [
        {"name": "web", "operation": "update", "type": "aws:ecs/service:Service"}
    ]


def test_steps_are_told_from_everything_else() -> None:
    alone = step("create", None, inputs("/opt/bin/sc-secure image scan --image x"), "alone", "")
    theirs = step("delete", inputs("echo hello"), None, "theirs", "")
    text = said(alone, theirs, step("create", None, inputs(UNKNOWN)), other("update", "aws:ecs/service:Service", "web"))
    steps, everything_else = text.split("### ")[1:]
    assert ("`alone`" in steps, "`web-scan`" in steps, "`theirs`" in steps) == (True, True, False)
    assert "| `theirs` | delete | `command:local:Command` |" in everything_else
    assert "| `web` | update | `aws:ecs/service:Service` |" in everything_else
    assert "## Security: 2 steps to run, change or remove\n" in text


def test_a_replacement_is_one_change() -> None:
    parts = [step(part, inputs(SCAN), inputs(SCAN)) for part in ("create-replacement", "replace", "delete-replaced")]
    assert said(*parts).count("`web-scan`") == 1


def test_the_policy() -> None:
    text = changes.write(
        {}, {"failOn": '"high"', "onlyFixed": "true", "a": "1"}, {"failOn": '"low"', "a": "1", "b": "2"}
    )
    assert "## Security: 3 values of the policy changed\n" in text
    assert '| `failOn` | `"high"` | `"low"` |\n| `onlyFixed` | `true` |  |\n| `b` |  | `2` |' in text


def test_a_comment_stays_below_github_s_limit() -> None:
    long = "x" * 5000
    many = [step("update", inputs(SCAN), inputs(f"{SCAN} --ignore {long}"), f"{n}{long}") for n in range(200)]
    text = changes.write({"steps": many}, {f"{n}{long}": long for n in range(200)}, {})
    assert len(text) < 65_536
    assert text.count("160 more are in the preview.") == 2


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_in_code(hostile: str) -> None:
    quoted = f"{SCAN} --ignore {hostile!r}"
    steps = [step(hostile, inputs(SCAN), inputs(quoted), hostile), other(hostile, hostile, hostile)]
    text = changes.write({"steps": steps}, {hostile: hostile}, {})
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table"]).parse(text)
    within = [inner for token in tokens for inner in token.children or []]
    html = {token.content.strip() for token in (*tokens, *within) if token.type.startswith("html_")}
    assert html <= {"<!-- sc-secure:changes -->", "<br>"}
    assert not [token for token in within if token.type in ("link_open", "image")]
    assert not [token for token in within if token.type == "text" and "@everyone" in token.content]


@pytest.mark.parametrize("content", [[], "x", None, {"steps": {}}])
def test_what_is_no_preview(content: Any) -> None:
    with pytest.raises(ValueError, match="pulumi preview --json"):
        changes.write(content)
