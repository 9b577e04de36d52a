"""The program of docs/remote.md declares what the page says."""

from pathlib import Path

import pulumi
import pytest

from sc_secure.report.commands import words_of
from tests.components.mocked import REFERENCE, Mocks, run
from tests.docs.test_readme import ROOT, blocks

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nhush\n-----END OPENSSH PRIVATE KEY-----\n"


def test_the_program_secures_the_image_on_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (program,) = blocks(ROOT / "docs/remote.md", "python")
    (tmp_path / "Pulumi.yaml").write_text("name: trial\nruntime: python\n")
    monkeypatch.chdir(tmp_path)
    names: dict[str, pulumi.Output[str]] = {}
    mocks = Mocks()

    def declared() -> pulumi.Output[str]:
        pulumi.runtime.set_all_config({"trial:buildHostKey": KEY})
        monkeypatch.setattr(pulumi, "export", names.__setitem__)
        exec(compile(program, "docs/remote.md", "exec"), {})  # noqa: S102 - our own page
        return names["deployable_ref"]

    try:
        assert run(declared, mocks) == REFERENCE
    finally:
        pulumi.runtime.set_all_config({})
    steps = {key.split("::")[1]: inputs for key, (typ, inputs) in mocks.resources.items() if "remote" in typ}
    assert set(steps) == {f"web-{step}" for step in ("sbom", "scan", "sign", "attest-sbom", "attest-scan", "verify")}
    assert all(inputs["create"].startswith("mkdir -p -- sc-secure/trial ") for inputs in steps.values())
    assert words_of(steps["web-verify"])[5:7] == ["--key", "keys/images.pub"]
