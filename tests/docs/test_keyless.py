"""The examples of docs/keyless.md do what it says."""

import subprocess
import tempfile
from pathlib import Path

import pytest
import yaml

from devtools.sigstore import trial
from sc_secure import SecuredImage, load_security
from sc_secure.context import oidc
from sc_secure.errors import ConfigError, NotAuthorised
from sc_secure.tools.identity import parse_identity
from sc_secure.tools.process import Runner
from tests.components.mocked import REFERENCE, Mocks, run
from tests.docs.test_readme import ROOT, blocks
from tests.images import push_image

PAGE = ROOT / "docs/keyless.md"
YAML = blocks(PAGE, "yaml")
POLICIES = [block for block in YAML if block.startswith("security:")]


@pytest.mark.parametrize("policy", POLICIES)
def test_each_policy_is_one_that_is_carried_out(policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: trial\nruntime: python\n")
    (tmp_path / "client.yaml").write_text(policy)
    monkeypatch.chdir(tmp_path)
    mocks, security = Mocks(), load_security("client.yaml")
    run(lambda: SecuredImage("app", {"image_ref": REFERENCE, "security": security}).deployable_ref, mocks)  # type: ignore[typeddict-item]
    assert {"app-sign", "app-verify"} <= set(mocks.commands())
    verify = security["signing"].get("verify")
    if verify:
        parse_identity(verify["identity_regexp"], verify["oidc_issuer"], None, transparency_log=True)


def test_the_workflows_have_the_lines_that_the_errors_ask_for() -> None:
    github, gitlab = (yaml.safe_load(block) for block in YAML if not block.startswith("security:"))
    for env, job in (
        ({"GITHUB_ACTIONS": "true"}, github["jobs"]["release"]),
        ({"GITLAB_CI": "true"}, gitlab["release"]),
    ):
        with pytest.raises(NotAuthorised) as raised:
            oidc.identity_token(env, Runner())
        asked = yaml.safe_load(raised.value.advice.partition(":\n")[2])
        assert asked
        assert asked.items() <= job.items()
    with pytest.raises(ConfigError):
        oidc.identity_token({"SIGSTORE_ID_TOKEN": "x"}, Runner())


def test_trying_it_at_home(tools_env: dict[str, str], registry: str, tmp_path: Path) -> None:
    image = push_image(tools_env, tmp_path, f"{registry}/at-home", {"six": "1.16"})
    (script,) = blocks(PAGE, "sh")
    first, *commands = script.splitlines()
    assert first == 'eval "$(make sigstore)"'
    with tempfile.TemporaryDirectory(prefix="sigstore-") as name:
        folder = Path(name) / "here"
        sigstore = trial.running(folder)
        try:
            first_one, sigstore = sigstore, trial.running(folder)  # whichever runs is ended below
            assert sigstore == first_one, "it goes on"
            env = {**tools_env, **trial.settings(sigstore), "ref": image}
            done = subprocess.run(
                ["sh", "-ec", "\n".join(commands)], cwd=tmp_path, env=env, check=False, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            sigstore.parts[0].end()
            again = trial.running(folder)
            assert all(part.alive() for part in again.parts)
            sigstore = again
        finally:
            sigstore.stop()
