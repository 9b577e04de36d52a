"""Tokens by the clouds' own programs, which stand here as scripts that print what the real ones are documented to."""

import shlex
from pathlib import Path

import pytest

from sc_secure.context.cloud import helper_of, token_for
from sc_secure.tools.process import Runner
from sc_secure.tools.registry import Credentials

TOKEN = "t0ken-" + "x" * 40
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def program(folder: Path, name: str, said: str, code: int = 0) -> None:
    path = folder / name
    path.write_text(
        f"#!/bin/sh\nprintf '%s' \"$*\" > {folder}/asked\nprintf '%s\\n' {shlex.quote(said)}\nexit {code}\n"
    )
    path.chmod(0o755)


def ask(folder: Path, host: str) -> Credentials | None:
    return token_for(host, Runner(), {"PATH": f"{folder}:/usr/bin:/bin"}, folder)


@pytest.mark.parametrize(
    ("host", "name", "arguments", "user"),
    [
        (ECR, "aws", "ecr get-login-password --region eu-west-1", "AWS"),
        (
            "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
            "aws",
            "ecr get-login-password --region us-gov-west-1",
            "AWS",
        ),
        (
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
            "aws",
            "ecr get-login-password --region cn-north-1",
            "AWS",
        ),
        ("europe-west1-docker.pkg.dev", "gcloud", "auth print-access-token --quiet", "oauth2accesstoken"),
        ("gcr.io", "gcloud", "auth print-access-token --quiet", "oauth2accesstoken"),
        ("eu.gcr.io", "gcloud", "auth print-access-token --quiet", "oauth2accesstoken"),
        (
            "team.azurecr.io",
            "az",
            "acr login --name team --expose-token --output tsv --query accessToken",
            "00000000-0000-0000-0000-000000000000",
        ),
    ],
)
def test_each_cloud_is_asked_by_its_own_program(
    tmp_path: Path, host: str, name: str, arguments: str, user: str
) -> None:
    program(tmp_path, name, TOKEN)
    assert ask(tmp_path, host) == Credentials(user, TOKEN)
    assert (tmp_path / "asked").read_text() == arguments
    assert helper_of(host)


@pytest.mark.parametrize(
    "host",
    [
        "registry.example",
        "evil.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
        "evil-docker.pkg.dev.evil.example",
        "gcr.io.evil.example",
        "evilgcr.io",
        "team.azurecr.io.evil.example",
        "127.0.0.1:5000",
    ],
)
def test_no_other_registry_gets_a_token(tmp_path: Path, host: str) -> None:
    for name in ("aws", "gcloud", "az"):
        program(tmp_path, name, TOKEN)
    assert ask(tmp_path, host) is None
    assert helper_of(host) is None
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(("said", "code"), [(TOKEN, 1), ("", 0), ("two words of an error message", 0), ("short", 0)])
def test_what_is_no_token_is_none(tmp_path: Path, said: str, code: int) -> None:
    program(tmp_path, "aws", said, code)
    assert ask(tmp_path, ECR) is None


def test_no_program_is_none(tmp_path: Path) -> None:
    assert token_for(ECR, Runner(), {"PATH": str(tmp_path)}, tmp_path) is None
