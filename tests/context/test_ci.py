import pytest

from sc_secure.context.ci import CiRun, ci_run

COMMIT = "c" * 40
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "o/r",
    "GITHUB_RUN_ID": "7",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_WORKFLOW_REF": "o/r/.github/workflows/release.yml@refs/heads/main",
    "GITHUB_SHA": COMMIT,
    "GITHUB_REF": "refs/heads/main",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_URL": "https://gitlab.example/g/p",
    "CI_JOB_URL": "https://gitlab.example/g/p/-/jobs/9",
    "CI_COMMIT_SHA": COMMIT,
    "CI_COMMIT_REF_NAME": "main",
}
BITBUCKET = {
    "BITBUCKET_REPO_FULL_NAME": "w/r",
    "BITBUCKET_BUILD_NUMBER": "3",
    "BITBUCKET_COMMIT": COMMIT,
    "BITBUCKET_TAG": "v1",
}
CIRCLECI = {
    "CIRCLECI": "true",
    "CIRCLE_REPOSITORY_URL": "git@github.com:o/r.git",
    "CIRCLE_BUILD_URL": "https://circleci.com/gh/o/r/5",
    "CIRCLE_SHA1": COMMIT,
    "CIRCLE_BRANCH": "main",
}
JENKINS = {
    "JENKINS_URL": "https://ci.example/",
    "BUILD_URL": "https://ci.example/job/app/12/",
    "JOB_URL": "https://ci.example/job/app/",
    "GIT_URL": "https://bob:pw@git.example/r.git",
    "GIT_COMMIT": COMMIT,
    "GIT_BRANCH": "origin/main",
}
AZURE = {
    "TF_BUILD": "True",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/org/",
    "SYSTEM_TEAMPROJECT": "My Project",
    "SYSTEM_DEFINITIONID": "4",
    "BUILD_BUILDID": "44",
    "BUILD_REPOSITORY_URI": "https://org@dev.azure.com/org/p/_git/r",
    "BUILD_SOURCEVERSION": COMMIT,
    "BUILD_SOURCEBRANCH": "refs/heads/main",
}


@pytest.mark.parametrize(
    ("environ", "run"),
    [
        (
            GITHUB,
            CiRun(
                "github",
                "https://github.com/o/r/actions/runs/7/attempts/2",
                "https://github.com/o/r/.github/workflows/release.yml@refs/heads/main",
                "https://github.com/o/r",
                COMMIT,
                "refs/heads/main",
            ),
        ),
        (
            GITLAB,
            CiRun(
                "gitlab",
                "https://gitlab.example/g/p/-/jobs/9",
                "https://gitlab.example/g/p//.gitlab-ci.yml@refs/heads/main",
                "https://gitlab.example/g/p",
                COMMIT,
                "refs/heads/main",
            ),
        ),
        (
            BITBUCKET,
            CiRun(
                "bitbucket",
                "https://bitbucket.org/w/r/pipelines/results/3",
                "https://bitbucket.org/w/r//bitbucket-pipelines.yml@refs/tags/v1",
                "https://bitbucket.org/w/r",
                COMMIT,
                "refs/tags/v1",
            ),
        ),
        (
            CIRCLECI,
            CiRun(
                "circleci",
                "https://circleci.com/gh/o/r/5",
                "ssh://github.com/o/r.git//.circleci/config.yml@refs/heads/main",
                "ssh://github.com/o/r.git",
                COMMIT,
                "refs/heads/main",
            ),
        ),
        (
            JENKINS,
            CiRun(
                "jenkins",
                "https://ci.example/job/app/12/",
                "https://ci.example/job/app/",
                "https://git.example/r.git",
                COMMIT,
                "refs/heads/main",
            ),
        ),
        (
            AZURE,
            CiRun(
                "azure",
                "https://dev.azure.com/org/My%20Project/_build/results?buildId=44",
                "https://dev.azure.com/org/My%20Project/_build?definitionId=4",
                "https://dev.azure.com/org/p/_git/r",
                COMMIT,
                "refs/heads/main",
            ),
        ),
    ],
    ids=["github", "gitlab", "bitbucket", "circleci", "jenkins", "azure"],
)
def test_each_system_from_its_documented_variables(environ: dict[str, str], run: CiRun) -> None:
    assert ci_run(environ) == run


@pytest.mark.parametrize(
    ("environ", "changes"),
    [
        (GITHUB, {"GITHUB_RUN_ID": "8", "GITHUB_RUN_ATTEMPT": "1"}),
        (GITLAB, {"CI_JOB_URL": "https://gitlab.example/g/p/-/jobs/10"}),
        (BITBUCKET, {"BITBUCKET_BUILD_NUMBER": "4"}),
        (CIRCLECI, {"CIRCLE_BUILD_URL": "https://circleci.com/gh/o/r/6"}),
        (JENKINS, {"BUILD_URL": "https://ci.example/job/app/13/"}),
        (AZURE, {"BUILD_BUILDID": "45"}),
    ],
)
def test_the_workflow_is_the_same_in_each_run(environ: dict[str, str], changes: dict[str, str]) -> None:
    one, other = ci_run(environ), ci_run(environ | changes)
    assert one
    assert other
    assert one.workflow == other.workflow
    assert one.url != other.url


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"CI": "true"},
        {"GITHUB_ACTIONS": "true"},
        {"GITLAB_CI": "true"},
        GITLAB | {"CI_JOB_URL": "https://user:pw@gitlab.example/j"},
        JENKINS | {"JOB_URL": "job\nname"},
        AZURE | {"SYSTEM_DEFINITIONID": ""},
    ],
)
def test_a_run_that_names_nothing_is_none(environ: dict[str, str]) -> None:
    assert ci_run(environ) is None


def test_what_is_not_of_its_form_is_left_out() -> None:
    run = ci_run(GITHUB | {"GITHUB_SHA": "main", "GITHUB_REF": "--upload-pack=x"})
    assert run
    assert run.commit == run.ref == ""
