"""An image of several platforms: what holds for one of them holds for all, and what is found in one counts."""

import hashlib
import json
import subprocess
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from sc_secure.errors import VerificationFailed
from sc_secure.steps.platforms import platforms
from sc_secure.tools.reference import parse_reference
from sc_secure.tools.registry import Manifest, Registry
from tests.command_line import CommandLine
from tests.images import CLEAN, VULNERABLE, attachments, push_index

BOTH = {"linux/amd64": CLEAN, "linux/arm64": VULNERABLE}
"""The machine's own platform has nothing to find: who looks at that alone lets the other pass."""
PushIndex = Callable[..., str]


@pytest.fixture
def new_index(tools_env: dict[str, str], registry: str, tmp_path: Path) -> PushIndex:
    def push(platforms: Mapping[str, Mapping[str, str]] = BOTH) -> str:
        return push_index(tools_env, tmp_path, f"{registry}/i{uuid.uuid4().hex[:12]}", platforms)

    return push


def manifest(reference: str) -> dict[str, Any]:
    repository, _, digest = reference.partition("@")
    host, _, name = repository.partition("/")
    request = urllib.request.Request(f"http://{host}/v2/{name}/manifests/{digest}")
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - http on loopback
        return json.load(response)


def put(reference: str, content: dict[str, Any]) -> str:
    """Pushes a manifest beside that image; its reference."""
    repository = reference.partition("@")[0]
    host, _, name = repository.partition("/")
    body = json.dumps(content).encode()
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    kind = {"Content-Type": content["mediaType"]}
    request = urllib.request.Request(f"http://{host}/v2/{name}/manifests/{digest}", body, kind, method="PUT")
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - http on loopback
    return f"{repository}@{digest}"


def children(index: str) -> dict[str, str]:
    """Each platform's image."""
    repository = index.partition("@")[0]
    entries = manifest(index)["manifests"]
    return {f"{e['platform']['os']}/{e['platform']['architecture']}": f"{repository}@{e['digest']}" for e in entries}


def test_a_finding_in_any_platform_counts(sc: CommandLine, new_index: PushIndex, project: Path) -> None:
    index = new_index()
    done = sc(f"image scan --image {index} --fail-on high")
    assert done.code == 3
    assert "sqlparse 0.4.4" in done.stderr
    result = sc(f"image scan --image {index} --fail-on critical --output json").result
    assert (result["outputs"]["high"], result["outputs"]["platforms"]) == (1, "linux/amd64, linux/arm64")
    report = json.loads((project / result["artifacts"][0]["path"]).read_text())
    assert report["platforms"] == ["linux/amd64", "linux/arm64"]
    assert {finding["package"] for finding in report["findings"]} == {"sqlparse", "idna"}
    assert sc(f"image scan --image {children(index)['linux/amd64']} --fail-on low").code == 0


def test_each_platform_has_its_own_catalogue(sc: CommandLine, new_index: PushIndex, project: Path) -> None:
    index = new_index()
    result = sc(f"sbom generate --image {index} --output json").result
    assert result["outputs"]["packages"] == len(CLEAN) + len(VULNERABLE)
    for platform, artifact in zip(BOTH, result["artifacts"], strict=True):
        document = json.loads((project / artifact["path"]).read_text())
        names = {each["name"] for each in document["components"] if each["type"] == "library"}
        assert names == set(BOTH[platform])
    assert result["outputs"]["path"] == result["artifacts"][0]["path"]
    done = sc(f"sbom generate --image {index} --save sbom.json")
    assert (done.code, "several platforms" in done.stderr) == (2, True)


def test_a_catalogue_that_was_made_of_one_platform_is_not_the_index_s(
    sc: CommandLine, new_index: PushIndex, project: Path, tools_env: dict[str, str]
) -> None:
    index = new_index()
    made = subprocess.run(
        ["syft", "scan", index, "--output", "syft-json"], env=tools_env, check=True, capture_output=True
    )
    (project / "one.json").write_bytes(made.stdout)
    assert sc(f"image scan --image {index} --fail-on high --sbom one.json").code == 4
    # … and an older version of this package kept such a one
    kept = project / f".sc/artifacts/{index.partition('@')[2].replace(':', '-')}/sbom.syft.json"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(made.stdout)
    assert sc(f"image scan --image {index} --fail-on high").code == 3


def test_the_whole_chain(sc: CommandLine, new_index: PushIndex, project: Path, key: str) -> None:
    index = new_index()
    parts = children(index)
    kinds = "--attestation cyclonedx --attestation slsaprovenance1 --attestation vuln"
    verify = f"image verify --image {index} --key cosign.pub --no-transparency-log {kinds}"
    steps = ("image sign", "sbom attach", "provenance attach --no-include-git", "scan attach")
    for step in steps:
        assert sc(verify).code == 4
        result = sc(f"{step} --image {index} {key} --output json").result
        assert (result["status"], result["outputs"]["platforms"].count("linux/")) == ("passed", 2)
    assert (len(attachments(index)), [len(attachments(part)) for part in parts.values()]) == (2, [4, 4])
    verified = sc(f"{verify} --output json").result["outputs"]
    assert len(verified["verified"]) == 4
    for step in steps:
        assert sc(f"{step} --image {index} {key} --output json").result["status"] == "reused"
    assert [len(attachments(part)) for part in parts.values()] == [4, 4]
    for part in parts.values():  # each can be deployed by itself
        assert sc(verify.replace(index, part)).code == 0
    listed = json.loads(sc(f"image status --image {index} --output json").stdout)["images"][0]["attached"]
    assert len(listed) == 10


def test_what_one_platform_lacks_is_missing(sc: CommandLine, new_index: PushIndex, key: str) -> None:
    index = new_index()
    arm = children(index)["linux/arm64"]
    for step in ("image sign", "sbom attach"):
        assert sc(f"{step} --image {index} {key}").code == 0
    verify = f"image verify --image {index} --key cosign.pub --no-transparency-log --attestation cyclonedx"
    assert sc(verify).code == 0
    # The same images, and one more that nobody signed
    more = manifest(index)
    more["manifests"].append({**more["manifests"][0], "digest": children(new_index())["linux/amd64"].partition("@")[2]})
    content = manifest(arm)
    content["annotations"] = {"another": "image"}
    other = put(arm, content)
    more["manifests"][-1] |= {"digest": other.partition("@")[2], "platform": {"os": "linux", "architecture": "s390x"}}
    extended = put(index, more)
    done = sc(verify.replace(index, extended))
    assert done.code == 4
    assert "signature" in done.stderr
    assert sc(f"image sign --image {extended} {key}").code == 0
    done = sc(verify.replace(index, extended))
    assert (done.code, "bom of linux/s390x" in done.stderr) == (4, True)


MARK = {"vnd.docker.reference.type": "attestation-manifest"}
UNKNOWN = {"os": "unknown", "architecture": "unknown"}


def test_what_buildkit_lists_beside_the_images_is_none(sc: CommandLine, new_index: PushIndex) -> None:
    index = new_index({"linux/amd64": CLEAN})
    content = manifest(index)
    entry = content["manifests"][0]
    marked = {**MARK, "vnd.docker.reference.digest": entry["digest"]}
    content["manifests"].append({**entry, "digest": "sha256:" + "0" * 64, "platform": UNKNOWN, "annotations": marked})
    result = sc(f"sbom generate --image {put_unchecked(index, content)} --output json").result
    assert result["outputs"]["platforms"] == "linux/amd64"


@pytest.mark.parametrize(
    "disguise",
    [
        {"annotations": MARK},
        {"annotations": MARK, "platform": None},
        {"annotations": MARK, "platform": {"os": "linux", "architecture": "unknown"}},
        {"annotations": {"vnd.docker.reference.type": "image"}, "platform": UNKNOWN},
        {"platform": UNKNOWN},
    ],
)
def test_an_image_that_is_marked_as_none_is_looked_at(
    sc: CommandLine, new_index: PushIndex, key: str, disguise: dict[str, Any]
) -> None:
    index = new_index({"linux/amd64": CLEAN, "linux/arm64": VULNERABLE})
    content = manifest(index)
    clean, vulnerable = content["manifests"]
    marked = {name: value for name, value in {**vulnerable, **disguise}.items() if value is not None}
    disguised = put(index, {**content, "manifests": [clean, marked]})
    assert sc(f"image scan --fail-on high --image {disguised}").code == 3
    assert sc(f"image sign --image {disguised} {key}").code == 0
    subject = f"{index.partition('@')[0]}@{vulnerable['digest']}"
    assert attachments(subject)


def put_unchecked(reference: str, content: dict[str, Any]) -> str:
    """Pushes an index; the registry wants what it lists to be there."""
    other = manifest(reference.partition("@")[0] + "@" + content["manifests"][0]["digest"])
    other["annotations"] = {"vnd": "attestation"}
    content["manifests"][-1]["digest"] = put(reference, other).partition("@")[2]
    return put(reference, content)


Refused = tuple[Callable[[str], dict[str, Any]], int, str]


@pytest.mark.parametrize(
    "refused",
    [
        (lambda index: {"layers": []}, 4, "in one"),
        (lambda index: {"config": {}}, 4, "in one"),
        (lambda index: {"manifests": []}, 6, "between 1 and 16"),
        (lambda index: {"manifests": [{"digest": index.partition("@")[2]}]}, 6, "an index itself"),
    ],
    ids=["with layers", "with a config", "empty", "nested"],
)
def test_an_index_that_cannot_be_judged_is_refused(
    sc: CommandLine, new_index: PushIndex, key: str, refused: Refused
) -> None:
    change, code, said = refused
    index = new_index({"linux/amd64": CLEAN})
    bad = put(index, {**manifest(index), **change(index)})
    for words in ("image scan --fail-on critical", "sbom generate", f"image sign {key}", f"sbom attach {key}"):
        done = sc(f"{words} --image {bad}")
        assert (done.code, done.stdout, said in done.stderr) == (code, "", True), done.stderr
    assert attachments(bad) == []


class Listing:
    """Stands for a registry that takes any content; the real one refuses an index of nonsense."""

    def __init__(self, manifests: object) -> None:
        self._manifests = manifests

    def manifest(self, digest: str) -> Manifest:
        return Manifest(digest, {"manifests": self._manifests})


@pytest.mark.parametrize("entry", ["x", None, 3, [], {}, {"digest": 3}, {"digest": "latest"}, {"digest": "sha512:00"}])
def test_an_entry_without_a_digest_is_refused(entry: object) -> None:
    image = parse_reference("registry.example/app@sha256:" + "0" * 64)
    with pytest.raises(VerificationFailed, match="no sha256 digest"):
        platforms(cast("Registry", Listing([entry])), image)
