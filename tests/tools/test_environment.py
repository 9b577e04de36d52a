from pathlib import Path

import pytest

from sc_secure.tools.environment import environment_for

OURS = {
    "PATH": "/bin",
    "HOME": "/h",
    "HTTPS_PROXY": "p",
    "COSIGN_PASSWORD": "s",
    "SIGSTORE_ID_TOKEN": "s",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s",
    "PULUMI_CONFIG_PASSPHRASE": "s",
    "GITHUB_TOKEN": "s",
    "SYFT_EXCLUDE": "x",
    "GRYPE_ONLY_FIXED": "x",
    "GRYPE_DB_CACHE_DIR": "/db",
    "GRYPE_DB_VALIDATE_AGE": "false",
    "GRYPE_DB_MAX_ALLOWED_BUILT_AGE": "9999h",
    "AWS_SECRET_ACCESS_KEY": "aws",
    "DOCKER_CONFIG": "/d",
    "LD_PRELOAD": "x",
}


@pytest.mark.parametrize(
    ("tool", "also"),
    [
        ("syft", {"AWS_SECRET_ACCESS_KEY", "DOCKER_CONFIG"}),
        ("grype", {"GRYPE_DB_CACHE_DIR"}),
        ("cosign", {"AWS_SECRET_ACCESS_KEY", "DOCKER_CONFIG"}),
        ("git", set()),
    ],
)
def test_a_tool_gets_what_it_needs(tool: str, also: set[str]) -> None:
    env = environment_for(tool, OURS, Path("/x"), EXTRA="1")
    assert set(env) == {"PATH", "HOME", "HTTPS_PROXY", "TMPDIR", "EXTRA"} | also
    assert env["TMPDIR"] == "/x"
