"""The chain on a real Debian image, beside the same tools called by a shell script."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.conftest import RUNS, Record
from benchmarks.images import SIZES, Copies, forgotten
from benchmarks.measure import in_turn, middle
from benchmarks.results import Row
from tests.faulty_proxy import faulty_proxy

POLICY = """
security:
  scan: {failOn: critical, ignore: [], attest: %(attest)s}
  sbom: {format: cyclonedx-json}
  signing: {key: cosign.key, passwordEnv: COSIGN_PASSWORD, verify: {key: cosign.pub, enabled: %(verify)s}}
  provenance: {builderId: "https://ci.example/builder", includeGit: false, includeDockerfile: false}
"""
SCRIPT = """
set -eu
image=$1
signed="--key cosign.key --signing-config empty.json --trusted-root root.json --yes"
"""
SEED = (
    SCRIPT
    + """
grype -q "registry:$image" -o json > scan.json
cosign sign $signed "$image"
syft -q "registry:$image" -o cyclonedx-json > sbom.json
cosign attest $signed --type cyclonedx --predicate sbom.json "$image"
cosign attest $signed --type slsaprovenance1 --predicate provenance.json "$image"
"""
)
"""As the seed document's own commands: the image is read twice. From the registry, as ours does: without the prefix the
tools ask a docker engine first, whose layers of an earlier run they would get."""
CRITICAL = (
    SCRIPT
    + """
syft -q "registry:$image" -o syft-json=syft.json -o cyclonedx-json=sbom.json
grype -q sbom:syft.json -o json > scan.json
cosign sign $signed "$image"
cosign attest $signed --type cyclonedx --predicate sbom.json "$image"
cosign attest $signed --type slsaprovenance1 --predicate provenance.json "$image"
"""
)
"""What can't be left out and can't be done beside something else, and nothing of ours."""
WHOLE = (
    CRITICAL
    + """
cosign attest $signed --type https://ci.example/scan/v1 --predicate scan-predicate.json "$image"
known="--key cosign.pub --insecure-ignore-tlog --trusted-root root.json"
cosign verify $known "$image" > /dev/null
cosign verify-attestation $known --type cyclonedx "$image" > /dev/null
cosign verify-attestation $known --type slsaprovenance1 "$image" > /dev/null
cosign verify-attestation $known --type https://ci.example/scan/v1 "$image" > /dev/null
"""
)
"""With the scan attested, and all of it verified."""


@pytest.fixture(scope="module")
def env(tools_env: dict[str, str]) -> dict[str, str]:
    return tools_env | {"COSIGN_PASSWORD": "test"}


@pytest.fixture
def folder(tmp_path: Path, env: dict[str, str]) -> Path:
    def cosign(*words: str) -> None:
        subprocess.run(["cosign", *words], cwd=tmp_path, env=env, check=True, capture_output=True)

    cosign("generate-key-pair", "--output-key-prefix", "cosign")
    cosign("signing-config", "create", "--out", "empty.json")
    cosign("trusted-root", "create", "--out", "root.json")
    (tmp_path / "provenance.json").write_text(json.dumps({"buildDefinition": {"buildType": "x"}, "runDetails": {}}))
    (tmp_path / "scan-predicate.json").write_text('{"scanner": {"uri": "x"}}')
    (tmp_path / "same.yaml").write_text(POLICY % {"attest": "false", "verify": "false"})
    (tmp_path / "whole.yaml").write_text(POLICY % {"attest": "true", "verify": "true"})
    for name, text in (("seed", SEED), ("critical", CRITICAL), ("whole", WHOLE)):
        (tmp_path / f"{name}.sh").write_text(text)
    return tmp_path


def release(image: str, policy: str) -> list[str]:
    return ["sc-secure", "release", "create", "--image", image, "--policy", f"{policy}.yaml"]


@dataclass(frozen=True)
class Compared:
    """What a release is compared with."""

    policy: str
    script: str
    beside: str
    target: float


COMPARED = (
    Compared("same", "seed", "a shell script that calls the same tools", 0.6),
    Compared("same", "critical", "the critical path of the tools alone", 1.15),
    Compared("whole", "whole", "the critical path, scan attested and all verified", 1.15),
)


@dataclass(frozen=True)
class Bench:
    """Where releases are measured."""

    env: dict[str, str]
    folder: Path
    registry: str


@pytest.fixture
def bench(env: dict[str, str], folder: Path, registry: str) -> Bench:
    return Bench(env, folder, registry)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("compared", COMPARED, ids=lambda compared: compared.script)
def test_release(size: str, compared: Compared, bench: Bench, record: Record) -> None:
    copies = Copies(bench.env, bench.registry, size)

    def ours_anew() -> Sequence[str]:
        forgotten(bench.folder)
        return release(copies.fresh(), compared.policy)

    pair = in_turn(
        ours_anew,
        lambda: ["sh", f"{compared.script}.sh", copies.fresh()],
        (bench.env, bench.folder),
        RUNS,
    )
    ours, theirs = middle(pair.ours), middle(pair.theirs)
    what = f"`release create` ({compared.policy} work), {size}"
    record(Row(what, ours.seconds, "s", compared.beside, theirs.seconds, pair.ratio, compared.target))
    record(Row(f"memory of {what}", ours.megabytes, "MB", compared.beside, theirs.megabytes))


@pytest.mark.parametrize("size", SIZES)
def test_each_layer_is_read_once(size: str, bench: Bench, record: Record) -> None:
    copies = Copies(bench.env, bench.registry, size)
    counted: dict[str, tuple[int, int]] = {}
    commands: dict[str, Callable[[str], Sequence[str]]] = {
        "ours": lambda image: release(image, "same"), "theirs": lambda image: ["sh", "seed.sh", image],
    }  # fmt: skip
    for side, command in commands.items():
        image = copies.fresh()
        forgotten(bench.folder)
        with faulty_proxy(f"http://{bench.registry}") as proxy:
            through = f"{proxy.url.removeprefix('http://')}/{image.partition('/')[2]}"
            subprocess.run(command(through), env=bench.env, cwd=bench.folder, check=True, capture_output=True)
            counted[side] = (proxy.asked, proxy.sent)
    (asked, sent), (their_asked, their_sent) = counted["ours"], counted["theirs"]
    script = "a shell script that calls the same tools"
    record(Row(f"requests to the registry, {size}", asked, "requests", script, their_asked))
    million = 1_000_000
    row = Row(f"bytes from the registry, {size}", sent / million, "MB", script, their_sent / million)
    record(Row(row.what, row.ours, row.unit, row.beside, row.theirs, sent / their_sent, 0.55))
