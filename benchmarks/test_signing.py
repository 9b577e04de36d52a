"""Signing, attesting and verifying, by a key and without one, with each kind of log: ours beside cosign alone."""

import json
import shlex
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from benchmarks.conftest import RUNS, Record
from benchmarks.measure import Where, in_turn, middle, once
from benchmarks.results import Row
from devtools.sigstore.rekor_v1 import RekorV1
from devtools.sigstore.services import Sigstore
from tests.images import CLEAN, push_image
from tests.keyless import DEV

WAYS = ("a key, no log", "a key, Rekor 1", "a key, Rekor 2", "keyless, Rekor 1", "keyless, Rekor 2")


@dataclass(frozen=True)
class Way:
    """How is signed, in our words and in cosign's."""

    env: dict[str, str]
    ours: list[str]
    theirs: list[str]
    ours_verify: list[str]
    theirs_verify: list[str]


@pytest.fixture
def way(request: pytest.FixtureRequest, tools_env: dict[str, str], tmp_path: Path) -> Way:
    """Only what this way needs is started."""
    who, log = request.param.split(", ")
    env = tools_env | {"COSIGN_PASSWORD": "test"}
    if who == "a key":
        once(["cosign", "generate-key-pair", "--output-key-prefix", "cosign"], env, tmp_path)
        by = Way(env, ["--key=cosign.key"], ["--key=cosign.key"], ["--key=cosign.pub"], ["--key=cosign.pub"])
    else:
        by = Way(env, ["--keyless"], ["--oidc-provider=envvar"], [], [])
    if log == "no log":
        (tmp_path / "none.json").write_text(
            json.dumps({"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"})
        )
        once(["cosign", "trusted-root", "create", "--out", "root.json"], env, tmp_path)
        off, root = "--no-transparency-log", "--trusted-root=root.json"
        return replace(
            by,
            ours=[*by.ours, off],
            theirs=[*by.theirs, "--signing-config=none.json", root],
            ours_verify=[*by.ours_verify, off],
            theirs_verify=[*by.theirs_verify, "--insecure-ignore-tlog", root],
        )
    sigstore: Sigstore | RekorV1 = request.getfixturevalue("rekor_v1" if log == "Rekor 1" else "sigstore")
    root, files = f"--trusted-root={sigstore.trusted_root}", [f"--signing-config={sigstore.signing_config}"]
    files.append(root)
    if who == "a key":
        return replace(
            by,
            ours=[*by.ours, "--transparency-log", *files],
            theirs=[*by.theirs, *files],
            ours_verify=[*by.ours_verify, "--transparency-log", root],
            theirs_verify=[*by.theirs_verify, root],
        )
    identity = [f"--certificate-identity-regexp=^{DEV.replace('.', '[.]')}$"]
    identity += [f"--certificate-oidc-issuer={sigstore.issuer()}", root]
    # Good for as long as the measuring takes.
    token = {"SIGSTORE_ID_TOKEN": sigstore.token(DEV, exp=2_000_000_000)}
    return Way(env | token, [*by.ours, *files], [*by.theirs, *files], identity, identity)


@pytest.fixture
def fresh(tools_env: dict[str, str], registry: str, tmp_path: Path) -> Callable[[], str]:
    """Makes an image to which nothing is attached."""
    return lambda: push_image(tools_env, tmp_path, f"{registry}/s{uuid.uuid4().hex[:12]}", CLEAN)


@pytest.mark.parametrize("way", WAYS, indirect=True)
def test_signing(
    *,
    way: Way,
    fresh: Callable[[], str],
    tmp_path: Path,
    record: Record,
    request: pytest.FixtureRequest,
) -> None:
    name, where = request.node.callspec.params["way"], (way.env, tmp_path)
    predicate = tmp_path / "predicate.json"
    predicate.write_text(json.dumps({"buildDefinition": {}, "runDetails": {}}))
    about = ["--type=slsaprovenance1", f"--predicate={predicate}"]
    compared = {
        "sign": (["sc-secure", "image", "sign"], ["cosign", "sign"]),
        "attest": (["sc-secure", "provenance", "attach", "--no-include-git"], ["cosign", "attest", *about]),
    }
    for what, (ours, theirs) in compared.items():
        _keep(
            record,
            f"{what}: {name}",
            lambda ours=ours: [*ours, *way.ours, f"--image={fresh()}"],
            lambda theirs=theirs: [*theirs, *way.theirs, "--yes", fresh()],
            where,
        )
    image = fresh()
    once(["sc-secure", "image", "sign", *way.ours, f"--image={image}"], *where)
    _keep(
        record,
        f"verify: {name}",
        lambda: ["sc-secure", "image", "verify", *way.ours_verify, f"--image={image}"],
        lambda: ["cosign", "verify", *way.theirs_verify, image],
        where,
    )


def _keep(
    record: Record, what: str, ours: Callable[[], Sequence[str]], theirs: Callable[[], Sequence[str]], where: Where
) -> None:
    pair = in_turn(ours, theirs, where, RUNS)
    record(
        Row(
            what, middle(pair.ours).seconds, "s", shlex.join(theirs()[:2]), middle(pair.theirs).seconds,
            figure=pair.ratio,
        )
    )  # fmt: skip
