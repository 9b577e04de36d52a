"""The same on every kind of registry: signed, attested, once only, verified; and what is gone is put back.

The table of docs/registries.md is what comes of it.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command_line import CommandLine, Outcome, in_process
from tests.docs.test_readme import ROOT
from tests.images import VULNERABLE, push_image
from tests.registries import servers
from tests.registries.servers import Server, Start
from tests.steps.conftest import key, keys, project  # noqa: F401 - fixtures

# ruff: noqa: F811 - a fixture's name is an argument's

PAGE = ROOT / "docs/registries.md"
STEPS = ("image sign", "provenance attach --no-include-git", "sbom attach")
# What of these a kind of registry takes, as the table says it.
TAKES = {3: "all", 2: "the signature and one attestation", 1: "the signature alone"}
HEADER = "| registry | bundles | the older format | what is deleted is put back | tried with |"


@dataclass(frozen=True)
class Kind:
    """A row of the table."""

    name: str
    tried_with: str
    start: Start
    bundle: int = 3
    """How many of the steps it takes."""
    legacy: int = 3
    deletes: bool = True
    """Whether anything can be deleted in it."""

    @property
    def row(self) -> str:
        healed = "yes" if self.deletes else "nothing can be deleted"
        return f"| {self.name} | {TAKES[self.bundle]} | {TAKES[self.legacy]} | {healed} | {self.tried_with} |"


KINDS = (
    Kind("no referrers API", "go-containerregistry", servers.crane),
    Kind("no referrers API, on disk", "CNCF distribution 3", servers.distribution),
    Kind("a referrers API", "ociregistry", servers.oci()),
    Kind("a referrers API, immutable tags", "ociregistry", servers.oci(immutable=True), legacy=2, deletes=False),
    Kind(
        "no referrers API, immutable tags",
        "ociregistry",
        servers.oci(referrers=False, immutable=True),
        bundle=1,
        legacy=2,
        deletes=False,
    ),
    Kind("a token service (Bearer)", "CNCF distribution 3, its service faked", servers.with_tokens),
    Kind("a rate limit (429, `Retry-After`)", "go-containerregistry, limited by a proxy", servers.limited),
    Kind("slow answers", "go-containerregistry, slowed by a proxy", servers.slow),
)


@dataclass(frozen=True)
class Place:
    """An image in a registry, and the command line for those who may use it."""

    kind: Kind
    server: Server
    image: str
    sc: CommandLine


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def place(
    *,
    request: pytest.FixtureRequest,
    tools_env: dict[str, str],
    tmp_path: Path,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Place]:
    kind: Kind = request.param
    folder = tmp_path / "server"
    folder.mkdir()
    with kind.start(folder) as server:
        env = tools_env | server.env
        image = push_image(env, tmp_path, f"{server.behind or server.address}/team/app", VULNERABLE)
        if server.behind:
            image = image.replace(server.behind, server.address)
        sc = in_process({**env, "COSIGN_PASSWORD": "test"}, project, monkeypatch, capsys)
        yield Place(kind, server, image, sc)


def attach(place: Place, step: str, form: str) -> Outcome:
    flags = f"--key cosign.key --no-transparency-log --signature-format {form} --output json"
    return place.sc(f"{step} --image {place.image} {flags}")


def verify(place: Place) -> Outcome:
    who = "--key cosign.pub --no-transparency-log"
    return place.sc(f"image verify --image {place.image} {who} --attestation slsaprovenance1 --attestation cyclonedx")


def delete_all(place: Place) -> None:
    """Everything that is attached to the image, by whatever name."""
    tag = place.image.partition("@")[2].replace(":", "-")
    listed = request(place, "GET", f"referrers/{place.image.partition('@')[2]}") or request(
        place, "GET", f"manifests/{tag}"
    )
    names = [tag, f"{tag}.sig", f"{tag}.att"]
    names += [each["digest"] for each in (json.loads(listed)["manifests"] or [])] if listed else []
    for name in names:
        request(place, "DELETE", f"manifests/{name}")


def request(place: Place, method: str, path: str) -> bytes:
    """What the registry answers, or nothing where it has nothing."""
    host, _, repository = place.image.partition("@")[0].partition("/")
    url = f"http://{place.server.behind or host}/v2/{repository}/{path}"
    headers = {"Accept": "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"}
    if place.server.token:
        headers["Authorization"] = f"Bearer {place.server.token(f'repository:{repository}:pull,push,delete')}"
    asked = urllib.request.Request(url, headers=headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - http on loopback
            return answer.read()
    except urllib.error.HTTPError as error:
        assert error.code == 404, f"{method} {path}: {error.code} {error.read()!r}"
        return b""


@pytest.mark.parametrize("form", ["bundle", "legacy"])
@pytest.mark.usefixtures("key")
def test_signed_and_attested_once_and_put_back(place: Place, form: str) -> None:
    taken: int = getattr(place.kind, form)
    first = [attach(place, step, form) for step in STEPS]
    assert [each.code for each in first] == [0] * taken + [6] * (3 - taken), first
    results = [each.result for each in first[:taken]]
    assert [each["status"] for each in results] == ["passed"] * taken
    again = [attach(place, step, form).result for step in STEPS[:taken]]
    assert [each["status"] for each in again] == ["reused"] * taken
    assert [each["outputs"] for each in again] == [each["outputs"] for each in results]
    if taken < 3:
        assert "can't be overwritten" in first[-1].stderr
        assert verify(place).code == 4
        return
    done = verify(place)
    assert done.code == 0, done.stderr
    if place.kind.deletes:
        delete_all(place)
        assert verify(place).code == 4
        assert [attach(place, step, form).result["status"] for step in STEPS] == ["passed"] * 3
        done = verify(place)
        assert done.code == 0, done.stderr


def test_the_page_says_what_was_found() -> None:
    lines = PAGE.read_text().splitlines()
    start = lines.index(HEADER)
    assert lines[start + 2 : start + 2 + len(KINDS)] == [kind.row for kind in KINDS]
    assert not lines[start + 2 + len(KINDS)].startswith("|")
