"""The pipeline of examples/ci/.gitlab-ci.yml, played for main and for merge requests."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from devtools.sigstore.services import Sigstore
from tests.ci import gitlab
from tests.ci.shop import EXAMPLE, SECRETS, Shop

IDENTITY = "https://gitlab.com/acme/shop//.gitlab-ci.yml@refs/heads/main"
MAIN = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}
MERGE_REQUEST = {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_DEFAULT_BRANCH": "main",
    "CI_PROJECT_ID": "1",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1",
}
# https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
CODE_QUALITY = {
    "type": "array",
    "items": {
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "required": ["path", "lines"],
                "properties": {"lines": {"required": ["begin"], "properties": {"begin": {"type": "integer"}}}},
            },
        },
    },
}


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        (MAIN, ["deploy"]),
        (MERGE_REQUEST, ["policy", "preview"]),
        (MERGE_REQUEST | {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2"}, ["policy"]),  # a fork's, run by a maintainer
        (MAIN | {"CI_COMMIT_BRANCH": "feature"}, []),
        ({"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_TAG": "v1", "CI_DEFAULT_BRANCH": "main"}, []),
    ],
)
def test_who_runs_what(variables: Mapping[str, str], names: list[str]) -> None:
    assert list(gitlab.jobs(EXAMPLE / ".gitlab-ci.yml", variables)) == names


def play(shop: Shop, sigstore: Sigstore, folder: Path, variables: Mapping[str, str], name: str) -> gitlab.Job:
    """Runs a job on a new machine, whose checkout is of the last commit."""
    commit, home = shop.commit("x"), folder / "home"
    shutil.rmtree(folder, ignore_errors=True)
    home.mkdir(parents=True)
    shop.clone(commit, folder / "build")
    described: dict[str, Any] = dict(gitlab.jobs(shop.repository / ".gitlab-ci.yml", variables)[name])
    if name == "policy":
        assert not {"services", "id_tokens", "environment"} & set(described)
    else:
        (service,) = described["services"]
        assert described["variables"]["DOCKER_HOST"] == f"tcp://{service['alias']}:2376"
    env = {
        **shop.machine,
        **shop.backend,
        **SECRETS,
        **variables,
        "HOME": str(home),
        "GITLAB_CI": "true",
        "CI_PROJECT_URL": "https://gitlab.com/acme/shop",
        "CI_JOB_URL": "https://gitlab.com/acme/shop/-/jobs/1",
        "CI_COMMIT_SHA": commit,
        "CI_COMMIT_REF_NAME": "main",
        # The machine's own engine, on a socket, in the place of the service.
        "DOCKER_TLS_VERIFY": "",
        "DOCKER_CERT_PATH": "",
        "CI_REGISTRY": shop.registry,
        "CI_REGISTRY_USER": "gitlab-ci-token",
        "CI_REGISTRY_PASSWORD": "registry-sentinel",
    }

    def token(audience: str) -> str:
        return sigstore.token(IDENTITY, "gitlab-pipeline", aud=audience)

    return gitlab.run(described, folder / "build", env, token)


@pytest.mark.engine
def test_from_main_to_a_merge_request_and_a_refusal(shop: Shop, sigstore: Sigstore, tmp_path: Path) -> None:
    shop.issued_by(sigstore.issuer("gitlab-pipeline"), IDENTITY)
    job = play(shop, sigstore, tmp_path / "1", MAIN, "deploy")
    assert job.passed, job.log
    ref = shop.outputs()["deployable_ref"]
    who = (f"--certificate-identity={IDENTITY}", f"--certificate-oidc-issuer={sigstore.issuer('gitlab-pipeline')}")
    assert shop.cosign("verify", *who, ref)
    assert shop.cosign("verify-attestation", "--type=slsaprovenance1", *who, ref)
    assert json.loads(job.artifact("reports/release.json").read_text())["verdict"] == "secured"
    assert json.loads(job.artifact("code-quality.json").read_text()) == []

    base = shop.commit("what the merge request is compared with")
    policy = shop.policy()
    policy["security"]["scan"]["failOn"] = "high"
    shop.write("policy.yaml", yaml.safe_dump(policy))
    request = {**MERGE_REQUEST, "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    assert play(shop, sigstore, tmp_path / "2", request, "policy").passed
    job = play(shop, sigstore, tmp_path / "3", request, "preview")
    assert job.passed, job.log
    comment = job.artifact("preview.md").read_text()
    assert "| `app-scan`" not in comment
    assert "| `web-scan` | update | `--fail-on critical` → `high` |" in comment
    assert '| `scan.failOn` | `"critical"` | `"high"` |' in comment

    job = play(shop, sigstore, tmp_path / "4", MAIN, "deploy")
    assert not job.passed
    assert "GHSA-2m57-hf25-phgg" in job.log
    assert json.loads(job.artifact("reports/release.json").read_text())["verdict"] == "refused"
    quality = json.loads(job.artifact("code-quality.json").read_text())
    jsonschema.validate(quality, CODE_QUALITY)
    assert [(each["check_name"], each["severity"]) for each in quality] == [("GHSA-2m57-hf25-phgg", "critical")]
    assert (job.folder / quality[0]["location"]["path"]).exists()
    for secret in ("registry-sentinel", SECRETS["PULUMI_CONFIG_PASSPHRASE"]):
        assert secret not in job.log + shop.export()
