"""What VEX statements take out: that vulnerability, in that product, and nothing else."""

from typing import Any

import pytest

from sc_secure.policy.finding import Finding
from sc_secure.policy.openvex import parse_document
from sc_secure.policy.severity import Severity
from sc_secure.policy.vex import Image, Read, Vex
from tests.policy.vex_documents import statement, vex

HEX = "ab" * 32
IMAGE = Image("registry.example:5000", "team/app", f"sha256:{HEX}")
HUB = Image("index.docker.io", "library/debian", f"sha256:{HEX}")
PURL = "pkg:pypi/sqlparse@0.4.4"
FOUND = Finding("GHSA-2m57", Severity.HIGH, "sqlparse", "0.4.4", aliases=("CVE-2024-4340",), purl=PURL)
DEB = Finding(
    "CVE-2024-4340",
    Severity.HIGH,
    "libssl3",
    "3.0.9-1",
    purl="pkg:deb/debian/libssl3@3.0.9-1?arch=amd64&distro=debian-12&upstream=openssl",
)
OCI = f"pkg:oci/app@sha256%3A{HEX}"
PLACE = "repository_url=registry.example:5000/team/app"


def why(*documents: bytes, finding: Finding = FOUND, image: Image = IMAGE) -> str | None:
    return Vex([Read(f"{n}.json", "0", parse_document(each)) for n, each in enumerate(documents)], image).why(finding)


def product(iri: str, *subcomponents: str) -> dict[str, Any]:
    return {"@id": iri, "subcomponents": [{"@id": each} for each in subcomponents]}


@pytest.mark.parametrize(
    ("vulnerability", "applies"),
    [
        ({"name": "CVE-2024-4340"}, True),
        ({"name": "cve-2024-4340"}, True),
        ({"name": "GHSA-2m57"}, True),
        ({"name": "PYSEC-1", "aliases": ["GHSA-2m57"]}, True),
        ({"name": "CVE-2024-434"}, False),
        ({"name": "CVE-2024-1", "aliases": ["GHSA-1"]}, False),
    ],
)
def test_the_vulnerability_by_any_name(vulnerability: dict[str, Any], *, applies: bool) -> None:
    assert bool(why(vex(statement(PURL, vulnerability=vulnerability)))) == applies


@pytest.mark.parametrize(
    ("named", "applies"),
    [
        # the image: by digest, or by its repository
        (OCI, True),
        (f"pkg:oci/app@sha256:{HEX}?{PLACE}&arch=amd64&tag=1", True),
        (f"pkg:oci/app?{PLACE}", True),
        (f"registry.example:5000/team/app@sha256:{HEX}", True),
        ({"hashes": {"sha-256": HEX}}, True),
        ({"identifiers": {"purl": OCI}}, True),
        (f"pkg:oci/app@sha256%3A{'cd' * 32}", False),
        (f"pkg:oci/other@sha256%3A{HEX}", False),
        (f"{OCI}?repository_url=registry.example:5000/other/app", False),
        ("pkg:oci/app?repository_url=registry.example/team/app", False),
        (f"pkg:oci/app?{PLACE}&tag=1", False),
        (f"pkg:oci/app?{PLACE}&arch=arm64", False),
        ("pkg:oci/app", False),
        ({"hashes": {"sha-256": "cd" * 32}}, False),
        ({"hashes": {"sha-512": HEX}}, False),
        (f"registry.example:5000/team/other@sha256:{HEX}", False),
        # the image, and a package in it
        (product(OCI, PURL), True),
        (product(OCI, "pkg:pypi/sqlparse"), True),
        (product(OCI, "pkg:pypi/idna", PURL), True),
        (product(OCI, "pkg:pypi/idna"), False),
        (product(OCI, "pkg:pypi/sqlparse@0.4.5"), False),
        (product("pkg:oci/other", PURL), False),
        # the package
        (PURL, True),
        ("pkg:pypi/sqlparse", True),
        ("pkg:PYPI/SQLparse", True),
        ({"@id": "https://example.com/us", "identifiers": {"purl": PURL}}, True),
        ("pkg:pypi/sqlparse@0.4", False),
        ("pkg:pypi/sqlpars", False),
        ("pkg:npm/sqlparse@0.4.4", False),
        ("pkg:pypi/sqlparse@0.4.4?extension=whl", False),
        (product(PURL, "pkg:pypi/idna"), False),
        ("sqlparse", False),
        ({"identifiers": {"cpe23": "cpe:2.3:a:sqlparse:sqlparse:0.4.4:*:*:*:*:*:*:*"}}, False),
    ],
)
def test_the_product(named: Any, *, applies: bool) -> None:
    assert bool(why(vex(statement(named)))) == applies


@pytest.mark.parametrize(
    ("named", "applies"),
    [
        ("pkg:deb/debian/libssl3@3.0.9-1?arch=amd64", True),
        ("pkg:deb/debian/libssl3@3.0.9-1", True),
        ("pkg:deb/debian/libssl3@3.0.9-1?arch=arm64", False),
        ("pkg:deb/ubuntu/libssl3@3.0.9-1", False),
    ],
)
def test_what_a_package_url_restricts(named: str, *, applies: bool) -> None:
    assert bool(why(vex(statement(named)), finding=DEB)) == applies


def test_a_statement_on_one_architecture_leaves_the_other() -> None:
    both = Finding(
        "CVE-2024-4340", Severity.HIGH, "p", "1", purl="pkg:deb/p@1?arch=amd64", other_purls=("pkg:deb/p@1?arch=i386",)
    )
    one, other = statement("pkg:deb/p@1?arch=amd64"), {"@id": "pkg:deb/p@1?arch=i386"}
    assert why(vex(one), finding=both) is None
    assert why(vex(one | {"products": [*one["products"], other]}), finding=both)


@pytest.mark.parametrize(
    "place", ["docker.io/library/debian", "index.docker.io/library/debian", "docker.io/debian", "library/debian"]
)
def test_docker_hub_has_several_names(place: str) -> None:
    assert why(vex(statement(f"pkg:oci/debian?repository_url={place}")), image=HUB)
    assert why(vex(statement(f"pkg:oci/debian?repository_url={place}"))) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "scan.vex: 0.json: not_affected (vulnerable_code_not_in_execute_path)"),
        ({"justification": None, "impact_statement": "never run"}, "scan.vex: 0.json: not_affected (never run)"),
        ({"status": "fixed", "justification": None}, "scan.vex: 0.json: fixed"),
        ({"status": "under_investigation", "justification": None}, None),
        ({"status": "affected", "justification": None, "action_statement": "update"}, None),
    ],
)
def test_only_two_states_take_out(changes: dict[str, Any], reason: str | None) -> None:
    assert why(vex(statement(PURL, **changes))) == reason


def test_the_newest_statement_counts() -> None:
    clear = statement(PURL)
    open_again = statement(PURL, status="under_investigation", justification=None)
    old, new = {"timestamp": "2026-01-01T00:00:00Z"}, {"timestamp": "2026-01-01T00:00:00-01:00"}
    assert why(vex(clear | old, open_again | new)) is None
    assert why(vex(open_again | old, clear | new)) is not None
    assert why(vex(open_again, timestamp="2026-02-01T00:00:00Z"), vex(clear, timestamp="2026-01-01T00:00:00Z")) is None
    assert "1.json" in (why(vex(open_again, timestamp="2026-01-01T00:00:00Z"), vex(clear)) or "")


def test_a_contradiction_takes_nothing_out() -> None:
    open_again = statement(PURL, status="under_investigation", justification=None)
    assert why(vex(statement(PURL), open_again)) is None
    assert why(vex(open_again), vex(statement(PURL))) is None
    assert why(vex(statement("pkg:pypi/sqlparse"), statement(PURL, status="fixed", justification=None))) is not None


def test_a_finding_without_a_package_url_is_the_image_s() -> None:
    found = Finding("CVE-2024-4340", Severity.HIGH, "p", "1")
    assert why(vex(statement(OCI)), finding=found)
    assert why(vex(statement(product(OCI, PURL))), finding=found) is None
    assert why(vex(statement(PURL)), finding=found) is None
    assert why(finding=found) is None


def test_how_many_each_document_takes_out() -> None:
    other = Finding("CVE-1", Severity.LOW, "p", "1")
    documents = [vex(statement("pkg:pypi/idna")), vex(statement(PURL))]
    said = Vex([Read(f"{n}.json", "0", parse_document(each)) for n, each in enumerate(documents)], IMAGE)
    assert said.clears([FOUND, other]) == {"0.json": 0, "1.json": 1}
