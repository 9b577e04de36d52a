"""OpenVEX documents are read strictly: what isn't understood is refused."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc_secure.policy.openvex import MAX_DOCUMENT_BYTES, parse_document, read_content
from tests.policy.vex_documents import statement, vex

PRODUCT = "pkg:pypi/sqlparse@0.4.4"

# The specification's own example of 0.2.0, with the commas that it misses.
SPECIFICATION = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://openvex.dev/docs/public/vex-2e67563e128250cbcb3e98930df948dd053e43271d70dc50cfa22d57e03fe96f",
    "author": "Spring Builds <spring-builds@users.noreply.github.com>",
    "role": "Project Release Bot",
    "timestamp": "2023-01-16T19:07:16.853479631-06:00",
    "version": 1,
    "statements": [
        {
            "vulnerability": {
                "@id": "https://nvd.nist.gov/vuln/detail/CVE-2021-44228",
                "name": "CVE-2021-44228",
                "description": "Remote code injection in Log4j",
                "aliases": ["GHSA-jfh8-c2jp-5v3q"],
            },
            "products": [
                {
                    "@id": "pkg:maven/org.springframework.boot/spring-boot@2.6.0-M3",
                    "identifiers": {"purl": "pkg:maven/org.springframework.boot/spring-boot@2.6.0-M3"},
                    "hashes": {"sha-256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                }
            ],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
            "impact_statement": "Spring Boot users are only affected if they have switched the logging system.",
        }
    ],
}


def test_the_specification_s_example() -> None:
    document = parse_document(json.dumps(SPECIFICATION).encode())
    (only,) = document.statements
    assert only.vulnerability.aliases == ["GHSA-jfh8-c2jp-5v3q"]
    assert document.moment(only).isoformat() == "2023-01-17T01:07:16.853479+00:00"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "its @context isn't"),
        (b"{}", "its @context isn't"),
        (b'{"bomFormat": "CycloneDX"}', "its @context isn't"),
        (b" " * (MAX_DOCUMENT_BYTES + 1), "larger than 16 MiB"),
        (vex(statement(PRODUCT), **{"@context": "https://openvex.dev/ns"}), "its @context isn't"),
        (vex(statement(PRODUCT), **{"@context": "https://openvex.dev/ns/v0.3.0"}), "its @context isn't"),
        (vex(statement(PRODUCT), author=None), "author: Field required"),
        (vex(statement(PRODUCT), timestamp="2026-11-20"), "timestamp: a time with its zone"),
        (vex(statement(PRODUCT), timestamp="2026-11-20T00:00:00"), "timestamp: a time with its zone"),
        (vex(statement(PRODUCT), timestamp="0001-01-01T00:00:00+14:00"), "timestamp: a time with its zone"),
        (vex(statement(PRODUCT), timestamp="9999-12-31T23:59:59-14:00"), "timestamp: a time with its zone"),
        (vex(statement(PRODUCT), version=0), "version: "),
        (vex(statement(PRODUCT), statement=[]), "statement: Extra inputs"),
        (vex(), "statements: "),
        (vex(statement(PRODUCT, status="notAffected")), "statements.0.status: "),
        (vex(statement(PRODUCT, statuss="fixed")), "statements.0.statuss: Extra inputs"),
        (vex(statement(PRODUCT, products=[])), "statements.0.products: "),
        (vex(statement(PRODUCT, products=None)), "statements.0.products: Field required"),
        (vex(statement({})), "statements.0.products.0: names nothing"),
        (vex(statement({"@id": PRODUCT, "subcomponents": [{}]})), "subcomponents.0: names nothing"),
        (vex(statement({"@id": PRODUCT, "identifiers": {"uuid": "x"}})), "identifiers.uuid"),
        (vex(statement(PRODUCT, vulnerability="CVE-1")), "statements.0.vulnerability: "),
        (vex(statement(PRODUCT, vulnerability={"@id": "CVE-1"})), "vulnerability.name: Field required"),
        (vex(statement(PRODUCT, justification=None)), "statements.0: not_affected needs a justification"),
        (vex(statement(PRODUCT, justification="we looked")), "statements.0.justification: "),
        (vex(statement(PRODUCT, status="fixed")), "fixed with a justification"),
        (vex(statement(PRODUCT, status="affected", justification=None)), "affected needs an action_statement"),
        (vex(statement(PRODUCT)).replace(b'"version"', b'"author": "x", "version"'), "'author' stands twice"),
        (vex(*[statement({})] * 9), "6 more"),
    ],
)
def test_what_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse_document(content)
    assert said in str(raised.value)
    assert len(str(raised.value)) < 600


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def keys(value: Any, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, item in items for path in ((*here, key), *keys(item, (*here, key)))]


@given(st.sampled_from(keys(SPECIFICATION)), JSON)
def test_any_change_is_read_or_refused_plainly(path: tuple[str | int, ...], value: Any) -> None:
    document = json.loads(json.dumps(SPECIFICATION))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with contextlib.suppress(ValueError):
        parse_document(json.dumps(document).encode())


def test_a_file_without_an_end(tmp_path: Path) -> None:
    (tmp_path / "vex.json").symlink_to("/dev/zero")
    with pytest.raises(ValueError, match="larger than 16 MiB"):
        parse_document(read_content(tmp_path / "vex.json"))
