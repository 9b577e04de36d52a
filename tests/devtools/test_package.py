"""What is published: built from this tree, the same each time, and described."""

import hashlib
import json
import re
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance

from devtools import package
from sc_secure import __version__


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return package.build(tmp_path_factory.mktemp("dist") / "first")


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_same_tree_gives_the_same_archives(built: list[Path], tmp_path: Path) -> None:
    again = package.build(tmp_path / "again")
    assert [(file.name, sha256(file)) for file in again[:2]] == [(file.name, sha256(file)) for file in built[:2]]


def test_what_is_in_them(built: list[Path]) -> None:
    wheel, source, *_ = built
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = Parser().parsestr(archive.read(f"sc_secure-{__version__}.dist-info/METADATA").decode())
    assert (metadata["Name"], metadata["Version"]) == ("sc-secure", __version__)
    assert {name.partition("/")[0] for name in names} == {"sc_secure", f"sc_secure-{__version__}.dist-info"}
    assert "sc_secure/py.typed" in names
    with tarfile.open(source) as archive:
        kept = archive.getnames()
    assert f"sc_secure-{__version__}/PulumiPlugin.yaml" in kept
    assert not [name for name in kept if re.search(r"/(\.venv|\.git|__pycache__|dist)/|\.key$", name)]


def test_how_they_were_built(built: list[Path]) -> None:
    *files, provenance = built
    statement = json.loads(provenance.read_bytes())
    assert statement["subject"] == [{"name": file.name, "digest": {"sha256": sha256(file)}} for file in files]
    predicate = ParseDict(statement["predicate"], Provenance())  # refuses unknown names
    assert predicate.build_definition.build_type == package.BUILD_TYPE
    page = Path(__file__).parents[2] / "docs/build-types/python-package-v1.md"
    assert package.BUILD_TYPE in page.read_text()
    assert str(Path(__file__).parents[2]) not in provenance.read_text()


def test_what_it_is_made_of(built: list[Path]) -> None:
    sbom = json.loads(built[2].read_bytes())
    assert sbom["metadata"]["component"]["name"] == "sc-secure"
    assert ("sc-secure", __version__) in {(each["name"], each.get("version")) for each in sbom["components"]}
