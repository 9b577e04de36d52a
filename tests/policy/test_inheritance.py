"""`uses:` — what a policy inherits, and where each value then comes from."""

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from sc_secure.errors import ConfigError
from sc_secure.policy.document import read_document
from sc_secure.policy.inheritance import MAX_FILES, merge, parents_folder
from sc_secure.policy.loading import load_policy, load_security
from sc_secure.policy.located import Located
from sc_secure.policy.problems import Problem
from tests.policy.files import write

pytestmark = pytest.mark.usefixtures("project")


def parent(name: str, text: str) -> None:
    write(f".sc/parent-stacks/{name}.yaml", text)


def located(name: str, block: str) -> Located:
    problems: list[Problem] = []
    document = read_document(Path(write(name, f"security: {block}\n")), problems)
    assert problems == []
    assert document.security is not None
    return document.security


def merged(base: str, own: str) -> tuple[Any, list[str]]:
    problems: list[Problem] = []
    result = merge(merge(None, located("base.yaml", base), problems), located("own.yaml", own), problems)
    return result.plain, [f"{problem.path}: {problem.reason}" for problem in problems]


TABLE: list[tuple[str, str, str]] = [
    ("{a: {b: 1, c: 2}, d: 3}", "{a: {b: 4}}", "{a: {b: 4, c: 2}, d: 3}"),
    ("{a: 1}", "{}", "{a: 1}"),
    ("{}", "{a: 1}", "{a: 1}"),
    ("{a: {b: 1, c: 2}}", "{a: {b: null}}", "{a: {c: 2}}"),
    ("{a: {b: 1}, c: 2}", "{a: ~}", "{c: 2}"),
    ("{a: {b: 1}}", "{a: []}", "{a: []}"),
    ("{a: 1}", "{a: {b: 1}}", "{a: {b: 1}}"),
    ("{a: false}", "{a: true}", "{a: true}"),
    ("{a: [1, 2]}", "{a: [3]}", "{a: [3]}"),
    ("{scan: {vex: [one, two]}}", "{scan: {vex: [three]}}", "{scan: {vex: [three]}}"),
    ("{tools: [{name: a, x: 1}]}", "{tools: [{name: a}]}", "{tools: [{name: a}]}"),
    (
        "{scan: {tools: [{name: grype, failOn: low, required: true}, {name: trivy}]}}",
        "{scan: {tools: [{name: new}, {name: grype, failOn: high}]}}",
        "{scan: {tools: [{name: grype, failOn: high, required: true}, {name: trivy}, {name: new}]}}",
    ),
    (
        "{scan: {tools: [{name: grype, failOn: low}]}}",
        "{scan: {tools: [{name: grype, failOn: null}]}}",
        "{scan: {tools: [{name: grype}]}}",
    ),
    ("{scan: {tools: [{name: grype}]}}", "{scan: {tools: null}}", "{scan: {}}"),
    ("{scan: {tools: [{name: grype}]}}", "{scan: {tools: []}}", "{scan: {tools: [{name: grype}]}}"),
    (
        "{scan: {ignore: [{id: CVE-1, reason: r, expires: 2026-01-01}, {id: CVE-2, reason: s}]}}",
        "{scan: {ignore: [{id: CVE-1, expires: 2026-06-01}, {id: CVE-3, reason: t}]}}",
        "{scan: {ignore: [{id: CVE-1, reason: r, expires: '2026-06-01'}, {id: CVE-2, reason: s}, "
        "{id: CVE-3, reason: t}]}}",
    ),
    (
        "{scan: {ignore: [{id: CVE-1, reason: r, expires: 2099-01-01}]}}",
        "{scan: {ignore: [{id: cve-1, expires: 2026-01-01}]}}",
        "{scan: {ignore: [{id: cve-1, reason: r, expires: '2026-01-01'}]}}",
    ),
    (
        "{scan: {ignore: [{id: CVE-1, package: a, reason: r}, {id: CVE-1, package: b, reason: r}, {id: CVE-2}]}}",
        "{scan: {ignore: [{id: CVE-1, package: a}]}}",
        "{scan: {ignore: [{id: CVE-1, package: a}, {id: CVE-2}]}}",
    ),
    ("{scan: {tools: [{x: 1}]}}", "{scan: {tools: [{x: 2}, 3]}}", "{scan: {tools: [{x: 1}, {x: 2}, 3]}}"),
    ("{scan: {tools: nonsense}}", "{scan: {tools: [{name: grype}]}}", "{scan: {tools: [{name: grype}]}}"),
]


@pytest.mark.parametrize(("base", "own", "result"), TABLE)
def test_merging(base: str, own: str, result: str) -> None:
    assert merged(base, own) == (yaml.safe_load(result), [])


@pytest.mark.parametrize(
    ("base", "own", "path"),
    [
        ("{}", "{a: null}", "security.a"),
        ("{a: {b: 1}}", "{a: {c: null}}", "security.a.c"),
        ("{a: 1}", "{a: {b: null}}", "security.a.b"),
        ("{}", "{a: [{b: null}]}", "security.a.0.b"),
        (
            "{scan: {tools: [{name: grype}]}}",
            "{scan: {tools: [{name: x}, {name: grype, failOn: null}]}}",
            "security.scan.tools.1.failOn",
        ),
        ("{a: null}", "{a: 1}", "security.a"),
    ],
)
def test_a_null_that_removes_nothing_is_a_problem(base: str, own: str, path: str) -> None:
    _, problems = merged(base, own)
    assert problems == [f"{path}: null removes what is inherited, and nothing is; remove this line"]


def test_several_levels_and_where_each_value_comes_from() -> None:
    parent("base", "security:\n  scan: {failOn: low}\n  signing:\n    key: base.key\n    passwordEnv: PW\n")
    parent("team", "uses: base\nsecurity:\n  scan:\n    onlyFixed: true\n  timeouts: {scan: 60}\n")
    write(".sc/stacks/web/client.yaml", "uses: team\nsecurity:\n  signing:\n    key: web.key\n    passwordEnv: null\n")
    policy = load_policy(stack="web")
    assert policy.files == (
        ".sc/stacks/web/client.yaml",
        ".sc/parent-stacks/team.yaml",
        ".sc/parent-stacks/base.yaml",
    )
    assert {".".join(path): (Path(leaf.file).name, leaf.line) for path, leaf in policy.block.leaves()} == {
        "scan.failOn": ("base.yaml", 2),
        "scan.onlyFixed": ("team.yaml", 4),
        "signing.key": ("client.yaml", 4),
        "timeouts.scan": ("team.yaml", 5),
    }
    assert load_security(stack="web") == {
        "scan": {"fail_on": "low", "only_fixed": True},
        "signing": {"key": "web.key"},
        "timeouts": {"scan": 60},
    }


def test_a_file_may_only_inherit_and_a_parent_may_do_no_more() -> None:
    parent("base", "security: {scan: {}}\n")
    parent("alias", "uses: base\n")
    assert load_security(write("client.yaml", "uses: alias\n")) == {"scan": {}}


def test_switching_off_what_is_inherited() -> None:
    parent("base", "security:\n  scan: {}\n  signing: {key: k}\n")
    off = load_policy(write("client.yaml", "uses: base\nsecurity: {scan: {enabled: false}, signing: null}\n")).security
    assert not off.scan.enabled
    assert not off.signing.enabled


def test_parents_are_those_of_the_file_s_project() -> None:
    assert parents_folder(Path("x/.sc/stacks/web/client.yaml")) == Path("x/.sc/parent-stacks")
    assert parents_folder(Path("x/.sc/parent-stacks/base.yaml")) == Path("x/.sc/parent-stacks")
    assert parents_folder(Path("x/client.yaml")) == Path(".sc/parent-stacks")
    Path("x/.sc/parent-stacks").mkdir(parents=True)
    assert parents_folder(Path("x/client.yaml")) == Path("x/.sc/parent-stacks")
    assert parents_folder(Path("x/deeper/client.yaml")) == Path(".sc/parent-stacks")


def test_a_folder_s_own_stack_may_be_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    parent("base", "security: {scan: {}}\n")
    write(".sc/stacks/web/client.yaml", "uses: base\n")
    monkeypatch.chdir(".sc/stacks/web")
    assert load_security("client.yaml") == {"scan": {}}


def test_a_parent_may_be_a_link_but_not_to_the_file_itself() -> None:
    write("shared/baseline.yaml", "security: {scan: {}}\n")
    Path(".sc/parent-stacks").mkdir(parents=True)
    Path(".sc/parent-stacks/base.yaml").symlink_to("../../shared/baseline.yaml")
    client = write("client.yaml", "uses: base\n")
    assert load_security(client) == {"scan": {}}
    Path(".sc/parent-stacks/base.yaml").unlink()
    Path(".sc/parent-stacks/base.yaml").symlink_to("../../client.yaml")
    with pytest.raises(ConfigError, match="inherit in a circle"):
        load_security(client)


def test_as_many_files_as_allowed() -> None:
    parent("level1", "security: {scan: {}}\n")
    for level in range(2, MAX_FILES):
        parent(f"level{level}", f"uses: level{level - 1}\n")
    client = write("client.yaml", f"uses: level{MAX_FILES - 1}\n")
    assert len(load_policy(client).files) == MAX_FILES


def test_many_rules_merge_quickly() -> None:
    def rule(number: int) -> Located:
        return Located({"id": Located(f"CVE-{number}", "f", 1)}, "f", 1)

    rules = Located([rule(number) for number in range(10_000)], "f", 1)
    began = time.process_time()
    assert merge(rules, rules, [], ("scan", "ignore")).plain == rules.plain
    assert time.process_time() - began < 20  # a second on an idle machine; what is exponential takes for ever
