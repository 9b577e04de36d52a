import copy
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sc_secure.errors import InfrastructureError
from sc_secure.policy.finding import Source
from sc_secure.policy.severity import Severity
from sc_secure.tools.grype import parse_report

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def report(**changes: Any) -> dict[str, Any]:
    match = {
        "vulnerability": {
            "id": "GHSA-1",
            "severity": "High",
            "dataSource": "https://x/GHSA-1",
            "fix": {"state": "fixed", "versions": ["2"]},
        },
        "relatedVulnerabilities": [{"id": "CVE-1"}, {"id": "GHSA-1"}],
        "artifact": {"name": "p", "version": "1", "type": "python", "purl": "pkg:pypi/p@1"},
    }
    status = {"valid": True, "built": "2026-11-24T00:00:00Z", "schemaVersion": "v6.1.10"}
    return {
        "matches": [match, match],
        "ignoredMatches": [],
        "descriptor": {"version": "0.121.2", "db": {"status": status, "providers": {"github": {}}}},
    } | changes


def parse(content: Any) -> Any:
    return parse_report(json.dumps(content).encode(), now=NOW)


def test_what_it_says() -> None:
    found = parse(report())
    (finding,) = found.findings
    assert (finding.id, finding.severity, finding.aliases, finding.fixed_in) == (
        "GHSA-1",
        Severity.HIGH,
        ("CVE-1",),
        ("2",),
    )
    assert found.database.providers == ("github",)
    assert found.database.built == datetime(2026, 11, 24, tzinfo=UTC)


def test_what_it_knows_of_exploits() -> None:
    content = report()
    content["descriptor"]["db"]["providers"] = {"github": {}, "kev": {}, "epss": {}}
    content["matches"][0]["relatedVulnerabilities"][0] |= {
        "knownExploited": [{"cve": "CVE-1", "knownRansomwareCampaignUse": "Unknown"}],
        "epss": [{"cve": "CVE-1", "epss": 0.25, "percentile": 0.9, "date": "2026-11-24"}],
    }
    content["matches"][0]["vulnerability"]["epss"] = [{"cve": "CVE-1", "epss": 1}]
    found = parse(content)
    assert (found.database.kev, found.database.epss) == (True, True)
    (finding,) = found.findings
    assert (finding.known_exploited, finding.epss) == (True, 1.0)
    assert finding.sources == (Source("grype", "GHSA-1", Severity.HIGH),)


def test_a_database_without_such_data_says_so() -> None:
    found = parse(report())
    assert (found.database.kev, found.database.epss) == (False, False)
    assert (found.findings[0].known_exploited, found.findings[0].epss) == (False, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"epss": [{"cve": "CVE-1"}]},
        {"epss": [{"epss": "0.5"}]},
        {"epss": [{"epss": 2}]},
        {"epss": {"a": 1}},
        {"knownExploited": 1},
    ],
)
def test_exploit_data_that_is_not_understood_is_no_pass(changes: dict[str, Any]) -> None:
    content = report()
    content["matches"][0]["vulnerability"] |= changes
    with pytest.raises(InfrastructureError, match="what it should be"):
        parse(content)


@pytest.mark.parametrize("severity", ["Unknown", "", "Moderate", "critical "])
def test_a_word_that_is_no_severity_is_unknown(severity: str) -> None:
    content = report()
    content["matches"][0]["vulnerability"]["severity"] = severity
    assert parse(content).findings[0].severity is Severity.UNKNOWN


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("db", "providers"), {}, "empty"),
        (("db", "providers"), None, "empty"),
        (("db", "status", "valid"), False, "valid"),
        (("db", "status", "valid"), "true", "valid"),
        (("db", "status", "built"), "2026-11-24T12:06:00Z", "future"),
        (("db", "status", "built"), "yesterday", "what it should be"),
        (("db", "status", "built"), "0001-01-01T00:00:00+14:00", "what it should be"),
        (("db", "status"), {}, "valid"),
        (("db",), None, "what it should be"),
    ],
)
def test_a_database_that_proves_nothing(path: tuple[str, ...], value: Any, said: str) -> None:
    content = report()
    place = content["descriptor"]
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(InfrastructureError, match=said):
        parse(content)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        report(matches=None),
        report(matches={}),
        report(matches=[1]),
        report(matches=[{}]),
        report(matches=[{"vulnerability": {"id": 1}, "artifact": {}}]),
        report(descriptor=None),
    ],
)
def test_rubbish(content: Any) -> None:
    with pytest.raises(InfrastructureError):
        parse(content)


@pytest.mark.parametrize(
    ("way", "value", "said"),
    [
        (("vulnerability", "id"), None, "matches[1].vulnerability.id: expected `str`, got `null`"),
        (("vulnerability", "severity"), 9, "matches[1].vulnerability.severity: expected `str | null`, got `int`"),
        (("vulnerability", "fix", "versions"), [1], "matches[1].vulnerability.fix.versions[0]: expected `str`"),
        (("vulnerability", "epss"), [{"epss": True}], "matches[1].vulnerability.epss[0].epss: expected `float`"),
        (("relatedVulnerabilities",), [{}], "matches[1].relatedVulnerabilities[0]: object missing required field `id`"),
        (("artifact",), [], "matches[1].artifact: expected `object`, got `array`"),
    ],
)
def test_the_error_says_where_it_is_wrong(way: tuple[str, ...], value: Any, said: str) -> None:
    content = report()
    content["matches"][1] = place = copy.deepcopy(content["matches"][1])
    for name in way[:-1]:
        place = place[name]
    place[way[-1]] = value
    with pytest.raises(InfrastructureError) as raised:
        parse(content)
    assert said in raised.value.message


def test_what_may_be_null_is_as_if_it_were_missing() -> None:
    content = report(ignoredMatches=None)
    match = content["matches"][0]
    expected = parse({**content, "matches": [{**match, "relatedVulnerabilities": []}]})
    match["relatedVulnerabilities"] = None
    match["vulnerability"] |= {"epss": None, "knownExploited": None}
    assert parse(content) == expected
    match["vulnerability"]["fix"] = None
    assert parse(content).findings[0].fixed_in == ()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_no_json(content: bytes) -> None:
    with pytest.raises(InfrastructureError):
        parse_report(content, now=NOW)


LARGE = """
import json, re, sys, time
from pathlib import Path
from sc_secure.cli import main
from tests.tools.test_grype import report

folder = Path(sys.argv[1])
digest = "sha256:" + "a" * 64
match = json.dumps({**report()["matches"][0], "matchDetails": [{"found": {"a": str(n)}} for n in range(30)]})
many = ",".join(match.replace("GHSA-1", f"GHSA-{n}").replace("CVE-1", f"CVE-{n}") for n in range(100_000))
content = json.dumps(report(matches=0, source={"target": {"manifestDigest": digest}})).replace("2026-11", "2020-01")
(folder / "report.json").write_text(content.replace('"matches": 0', f'"matches": [{many}]'))
(folder / "sbom").write_text(json.dumps({"source": {"metadata": {"manifestDigest": digest}}}))
del many, content
# Stands for grype, which would first need an image with so much in it.
(folder / "grype").write_text(
    f"#!/bin/sh\\ncase $1 in version) echo 'Version: 0.121.2' ;; *) cat {folder}/report.json ;; esac\\n"
)
(folder / "grype").chmod(0o755)
(Path("/proc/self/clear_refs")).write_text("5")  # VmHWM from here on
began = time.process_time()
try:
    main(["image", "scan", "--image", f"r.example/app@{digest}", "--sbom", str(folder / "sbom"), "--output", "json"])
except SystemExit as end:
    assert end.code == 0
seconds = time.process_time() - began
print(seconds, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""


SECONDS = 6
"""Of CPU: three times what it may take on a quiet machine, which the benchmark measures."""


def test_a_large_report_takes_little_time_and_memory(tmp_path: Path) -> None:
    """A hundred thousand findings, from grype's report to our own."""
    argv = [sys.executable, "-c", LARGE, str(tmp_path)]
    env = {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin", "GRYPE_DB_AUTO_UPDATE": "false"}
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    result, measured = done.stdout.splitlines()
    assert json.loads(result)["outputs"]["high"] == 100_000
    seconds, megabytes = map(float, measured.split())
    assert seconds < SECONDS
    assert megabytes < 300
