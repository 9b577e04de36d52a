"""The CI run that we are in, from the variables that its system documents.

GitHub Actions: https://docs.github.com/actions/reference/workflows-and-actions/variables;
GitLab CI: https://docs.gitlab.com/ci/variables/predefined_variables/;
Bitbucket Pipelines: https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/;
CircleCI: https://circleci.com/docs/reference/variables/;
Jenkins: https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables, and its git plugin;
Azure Pipelines: https://learn.microsoft.com/azure/devops/pipelines/build/variables.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

from sc_secure.context.git import public_remote

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?", re.ASCII)


@dataclass(frozen=True)
class CiRun:
    """A run of a CI system. What the system doesn't say is empty."""

    system: str
    """`github`, `gitlab`, `bitbucket`, `circleci`, `jenkins` or `azure`."""
    url: str
    """The page of this very run, attempt included: what SLSA calls the invocation."""
    workflow: str
    """A URI that names what runs, and is the same in each of its runs: a SLSA builder's id."""
    repository: str = ""
    """The source's URL, without credentials."""
    commit: str = ""
    """The source's commit, in hexadecimal."""
    ref: str = ""
    """`refs/heads/…` or `refs/tags/…`."""


def ci_run(environ: Mapping[str, str]) -> CiRun | None:
    """The CI run that this environment belongs to; None: a machine of a person's own, or one that isn't known."""
    for recognised in (_github, _gitlab, _bitbucket, _circleci, _jenkins, _azure):
        run = recognised(environ)
        # Without its two addresses a run names nothing that someone else could look up.
        if run and run.url and run.workflow:
            return run
    return None


def _github(env: Mapping[str, str]) -> CiRun | None:
    if env.get("GITHUB_ACTIONS") != "true" or not env.get("GITHUB_RUN_ID"):
        return None
    server = env.get("GITHUB_SERVER_URL", "https://github.com")
    repository = f"{server}/{env.get('GITHUB_REPOSITORY', '')}"
    attempt = env.get("GITHUB_RUN_ATTEMPT", "1")
    return _run(
        "github",
        url=f"{repository}/actions/runs/{env['GITHUB_RUN_ID']}/attempts/{attempt}",
        workflow=f"{server}/{env['GITHUB_WORKFLOW_REF']}" if env.get("GITHUB_WORKFLOW_REF") else repository,
        repository=repository,
        commit=env.get("GITHUB_SHA", ""),
        ref=env.get("GITHUB_REF", ""),
    )


def _gitlab(env: Mapping[str, str]) -> CiRun | None:
    if env.get("GITLAB_CI") != "true":
        return None
    project, config = env.get("CI_PROJECT_URL", ""), env.get("CI_CONFIG_PATH") or ".gitlab-ci.yml"
    ref = _ref(tag=env.get("CI_COMMIT_TAG", ""), branch=env.get("CI_COMMIT_REF_NAME", ""))
    return _run(
        "gitlab",
        url=env.get("CI_JOB_URL", ""),
        workflow=_in_repository(project, config, ref),
        repository=project,
        commit=env.get("CI_COMMIT_SHA", ""),
        ref=ref,
    )


def _bitbucket(env: Mapping[str, str]) -> CiRun | None:
    name, number = env.get("BITBUCKET_REPO_FULL_NAME"), env.get("BITBUCKET_BUILD_NUMBER")
    if not name or not number:
        return None
    repository = f"https://bitbucket.org/{name}"
    ref = _ref(tag=env.get("BITBUCKET_TAG", ""), branch=env.get("BITBUCKET_BRANCH", ""))
    return _run(
        "bitbucket",
        url=f"{repository}/pipelines/results/{number}",
        workflow=_in_repository(repository, "bitbucket-pipelines.yml", ref),
        repository=repository,
        commit=env.get("BITBUCKET_COMMIT", ""),
        ref=ref,
    )


def _circleci(env: Mapping[str, str]) -> CiRun | None:
    if env.get("CIRCLECI") != "true":
        return None
    repository = public_remote(env.get("CIRCLE_REPOSITORY_URL", ""))
    ref = _ref(tag=env.get("CIRCLE_TAG", ""), branch=env.get("CIRCLE_BRANCH", ""))
    return _run(
        "circleci",
        url=env.get("CIRCLE_BUILD_URL", ""),
        workflow=_in_repository(repository, ".circleci/config.yml", ref),
        repository=repository,
        commit=env.get("CIRCLE_SHA1", ""),
        ref=ref,
    )


def _jenkins(env: Mapping[str, str]) -> CiRun | None:
    if not env.get("JENKINS_URL"):
        return None
    branch = env.get("GIT_BRANCH", "").removeprefix("origin/")
    return _run(
        "jenkins",
        url=env.get("BUILD_URL", ""),
        workflow=env.get("JOB_URL", ""),
        repository=env.get("GIT_URL", ""),
        commit=env.get("GIT_COMMIT", ""),
        ref=_ref(tag=env.get("TAG_NAME", ""), branch=branch),
    )


def _azure(env: Mapping[str, str]) -> CiRun | None:
    if env.get("TF_BUILD", "").lower() != "true":
        return None
    project = urllib.parse.quote(env.get("SYSTEM_TEAMPROJECT", ""))
    builds = f"{env.get('SYSTEM_COLLECTIONURI', '').rstrip('/')}/{project}/_build"
    run, definition = env.get("BUILD_BUILDID", ""), env.get("SYSTEM_DEFINITIONID", "")
    return _run(
        "azure",
        url=f"{builds}/results?buildId={run}" if run else "",
        workflow=f"{builds}?definitionId={definition}" if definition else "",
        repository=env.get("BUILD_REPOSITORY_URI", ""),
        commit=env.get("BUILD_SOURCEVERSION", ""),
        ref=env.get("BUILD_SOURCEBRANCH", ""),
    )


def _run(system: str, *, url: str, workflow: str, repository: str, commit: str, ref: str) -> CiRun:
    """A run of what was found; what isn't of its form is left out."""
    return CiRun(
        system,
        url=_public_url(url),
        workflow=_public_url(workflow),
        repository=public_remote(repository),
        commit=commit if _COMMIT.fullmatch(commit) else "",
        ref=ref if ref.startswith("refs/") else "",
    )


def _ref(*, tag: str, branch: str) -> str:
    if tag:
        return f"refs/tags/{tag}"
    return f"refs/heads/{branch}" if branch else ""


def _in_repository(repository: str, file: str, ref: str) -> str:
    """A file of a repository at a ref, as Fulcio writes GitLab's: https://github.com/sigstore/fulcio/blob/main/docs/oidc.md."""
    return f"{repository}//{file}" + (f"@{ref}" if ref else "") if repository else ""


def _public_url(url: str) -> str:
    """The URL if it is one for everybody; empty if it isn't, or holds a user or a password."""
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https", "ssh") or not parts.hostname or parts.username or parts.password:
        return ""
    return url if not re.search(r"[\s\x00-\x1f\x7f]", url) else ""
