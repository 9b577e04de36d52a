"""The CI run that we are in, from its documented variables."""

from __future__ import annotations

import uuid
from collections.abc import Mapping


def invocation_id(environ: Mapping[str, str]) -> str:
    """What names this run: the CI run's page, or a fresh `urn:uuid:…`.

    GitHub Actions: https://docs.github.com/actions/reference/workflows-and-actions/variables;
    GitLab CI: https://docs.gitlab.com/ci/variables/predefined_variables/.
    """
    if environ.get("GITHUB_ACTIONS") == "true" and environ.get("GITHUB_RUN_ID"):
        server = environ.get("GITHUB_SERVER_URL", "https://github.com")
        run = f"{environ.get('GITHUB_REPOSITORY', '')}/actions/runs/{environ['GITHUB_RUN_ID']}"
        return f"{server}/{run}/attempts/{environ.get('GITHUB_RUN_ATTEMPT', '1')}"
    if environ.get("GITLAB_CI") == "true" and environ.get("CI_JOB_URL"):
        return environ["CI_JOB_URL"]
    return f"urn:uuid:{uuid.uuid4()}"
