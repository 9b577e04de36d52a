"""A scan's policy as a command: one readable flag a policy item, and what decides a re-run besides."""

import hashlib
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pulumi
import pytest

from sc_secure import ScanCommand, SecuredImage, load_security
from sc_secure.components.args import ScanArgs, ScanCommandArgs
from sc_secure.policy.ignore_rule import parse_rule
from tests.components.mocked import REFERENCE, Mocks, run
from tests.policy.vex_documents import statement, vex

TODAY = datetime.now(UTC).date()
LATER = str(TODAY + timedelta(days=30))
RULE = {"id": "CVE-2024-4340", "package": "sqlparse@0.4.4", "reason": "isn't reached", "expires": LATER}
VEX = vex(statement("pkg:pypi/idna"))
POLICY: dict[str, Any] = {
    "fail_on": "high",
    "warn_on": "medium",
    "only_fixed": True,
    "kev": True,
    "epss_above": 0.5,
    "max_database_age": "48h",
    "ignore": [RULE, {"id": "GHSA-jjg7-2v4v-x38h", "reason": "$(touch /tmp/x)", "expires": "2020-01-01"}],
    "vex": ["security/app.openvex.json"],
}
WORDS = [
    *("--fail-on", "high", "--warn-on", "medium", "--only-fixed", "--kev", "--epss-above", "0.5"),
    *("--max-database-age", "48h"),
    *("--ignore", f"CVE-2024-4340 in sqlparse@0.4.4 until {LATER}: isn't reached"),
    *("--ignore", "GHSA-jjg7-2v4v-x38h until 2020-01-01: $(touch /tmp/x)"),
    *("--vex", "security/app.openvex.json"),
]


@pytest.fixture(autouse=True)
def document(project: Path) -> Path:
    file = project / "security/app.openvex.json"
    file.parent.mkdir()
    file.write_bytes(VEX)
    return file


def alone(**policy: Any) -> Mocks:
    mocks = Mocks()
    args: Any = {"image": REFERENCE, **policy}
    run(lambda: ScanCommand("app-scan", args).passed_ref, mocks)
    return mocks


def secured(security: Any) -> Mocks:
    mocks = Mocks()
    run(lambda: SecuredImage("app", {"image_ref": REFERENCE, "security": security}).deployable_ref, mocks)
    return mocks


def environment(mocks: Mocks) -> dict[str, str]:
    inputs = mocks.resources["command:local:Command::app-scan"][1]
    return {key: value for key, value in inputs["environment"].items() if key != "SC_SECURE_ATTEMPT"}


def words(mocks: Mocks) -> list[str]:
    return shlex.split(mocks.commands()["app-scan"])[5:-2]


@pytest.mark.parametrize(
    "mocks", [lambda: alone(**POLICY), lambda: secured({"scan": POLICY})], ids=["alone", "secured"]
)
def test_every_policy_item_is_a_flag(mocks: Any) -> None:
    made = mocks()
    assert words(made) == WORDS
    assert environment(made) == {
        "SC_SECURE_VEX": f"security/app.openvex.json {hashlib.sha256(VEX).hexdigest()}",
        "SC_SECURE_EXPIRED": "GHSA-jjg7-2v4v-x38h (2020-01-01)",
    }


@pytest.mark.parametrize(
    ("tools", "flags"),
    [
        ([{"name": "grype"}], ""),
        ([{"name": "grype", "fail_on": "low", "warn_on": "unknown"}], "--fail-on low --warn-on unknown"),
        ([{"name": "grype", "enabled": False}, {"name": "trivy"}], "--tool trivy"),
        ([{"name": "grype"}, {"name": "trivy", "required": False}], "--tool grype --tool trivy --tool-optional trivy"),
        (
            [{"name": "trivy", "fail_on": "high"}, {"name": "grype", "warn_on": "low"}],
            "--tool trivy --tool-fail-on trivy=high --tool grype --tool-warn-on grype=low",
        ),
    ],
)
def test_the_scanners_are_flags(tools: list[dict[str, Any]], flags: str) -> None:
    expected = (flags if flags.startswith("--fail-on") else f"--fail-on critical {flags}").split()
    assert words(alone(tools=tools)) == words(secured({"scan": {"tools": tools}})) == expected


def test_the_policy_in_yaml(project: Path) -> None:
    (project / "client.yaml").write_text(
        "security:\n  scan:\n    failOn: high\n    kev: true\n    epssAbove: 0.25\n    maxDatabaseAge: 2d\n"
        "    ignore:\n      - id: CVE-2024-4340\n        reason: not reached\n        expires: 2026-12-01\n"
        "    vex: [security/app.openvex.json]\n"
    )
    flags = ["--fail-on", "high", "--kev", "--epss-above", "0.25", "--max-database-age", "2d"]
    flags += ["--ignore", "CVE-2024-4340 until 2026-12-01: not reached", "--vex", "security/app.openvex.json"]
    assert words(secured(load_security("client.yaml"))) == flags


def test_a_rule_more_is_one_flag_more_and_nothing_else() -> None:
    before, after = secured({"scan": {}}), secured({"scan": {"ignore": [RULE]}})
    flag = shlex.join(["--ignore", parse_rule(WORDS[11]).flag])
    assert after.commands()["app-scan"] == before.commands()["app-scan"].replace(" --output", f" {flag} --output")
    assert {key for key in after.resources if after.resources[key] != before.resources[key]} == {
        "command:local:Command::app-scan"
    }
    assert environment(after) == environment(before) == {}


def test_a_changed_vex_document_changes_the_command_s_environment_alone(document: Path) -> None:
    before = alone(vex=["security/app.openvex.json"])
    document.write_bytes(VEX.replace(b"idna", b"urllib3"))
    after = alone(vex=[str(document)])
    assert before.commands() == after.commands()
    assert environment(before)["SC_SECURE_VEX"] != environment(after)["SC_SECURE_VEX"]


def test_a_rule_s_day_runs_the_scan_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = alone(ignore=[RULE])
    monkeypatch.setattr("sc_secure.components.scan._today", lambda: TODAY + timedelta(days=30))
    after = alone(ignore=[RULE])
    assert before.commands() == after.commands()
    assert environment(before) == {}
    assert environment(after) == {"SC_SECURE_EXPIRED": f"CVE-2024-4340 in sqlparse@0.4.4 ({LATER})"}


@pytest.mark.parametrize(("given", "flag"), [(0.5, "0.5"), (0, "0"), (0.0, "0"), (0.000125, "0.000125")])
def test_a_probability_is_written_as_a_person_does(given: float, flag: str) -> None:
    assert words(alone(epss_above=given)) == ["--fail-on", "critical", "--epss-above", flag]


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"vex": ["missing.json"]}, "vex[0]", "missing.json: No such file"),
    ({"vex": ["security/app.openvex.json", "bad.json"]}, "vex[1]", "bad.json: not JSON"),
    ({"vex": ["/elsewhere/x.json"]}, "vex[0]", "an absolute path outside the project"),
    ({"vex": "x.json"}, "vex", "a list is expected"),
    ({"ignore": [{"id": "CVE-1-1", "expires": LATER}]}, "ignore[0].reason", "missing"),
    ({"ignore": [{"id": "CVE-1-1", "reason": "r", "expires": "soon"}]}, "ignore.0.expires", "a date is expected"),
    ({"ignore": [{**RULE, "why": "r"}]}, "ignore[0].why", "unknown argument"),
    ({"ignore": [RULE, RULE]}, "ignore: CVE-2024-4340 in sqlparse@0.4.4 stands there twice", ""),
    ({"kev": 1}, "kev", "a boolean is expected"),
    ({"epss_above": "0.5"}, "epss_above", "a number is expected"),
    ({"epss_above": 1.0}, "epss_above", "less than 1"),
    ({"max_database_age": "5"}, "max_database_age", "as 120h or 5d"),
]


@pytest.mark.parametrize(("policy", "path", "said"), BAD, ids=[f"{path} {said}" for _, path, said in BAD])
@pytest.mark.parametrize("component", ["ScanCommand", "SecuredImage"])
def test_refused_before_anything_is_registered(
    project: Path, component: str, policy: dict[str, Any], path: str, said: str
) -> None:
    (project / "bad.json").write_text("{")
    mocks = Mocks()
    args: Any = {"image": REFERENCE, **policy}
    if component == "SecuredImage":
        args = {"image_name": "registry.example/app:1", "build": {"context": "app"}, "security": {"scan": policy}}

    def program() -> pulumi.Output[Any]:
        return ScanCommand("x", args).urn if component == "ScanCommand" else SecuredImage("x", args).urn

    with pytest.raises(pulumi.RunError) as raised:
        run(program, mocks)
    assert path in str(raised.value)
    assert said in str(raised.value)
    assert "security.scan" in str(raised.value) or component == "ScanCommand"
    assert mocks.resources == {}


def test_a_command_takes_what_a_section_takes() -> None:
    own = set(ScanCommandArgs.__annotations__) - {"image", "registry", "timeout_seconds", "retry", "save", "execution"}
    assert own == set(ScanArgs.__annotations__) - {"enabled", "attest", "output"}
