import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance

from tests.command_line import CommandLine

BASE = "debian:12@sha256:" + "a" * 64


@pytest.fixture
def source(project: Path) -> str:
    """A git work tree with an application; its commit."""
    (project / "app").mkdir()
    (project / "app" / "Dockerfile").write_text(f"FROM --platform=linux/amd64 {BASE} AS base\nFROM base\n")
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["remote", "add", "origin", "https://bob:hunter2@git.example.com/o/r.git?token=hunter2"],
        ["add", "app"],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--message=x"],
    ):
        subprocess.run(["git", *words], cwd=project, check=True, capture_output=True)
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def predicate_of(project: Path) -> dict:
    (file,) = (project / ".sc").rglob("provenance.slsa.json")
    return json.loads(file.read_bytes())


def test_what_it_states(sc: CommandLine, image: str, project: Path, source: str) -> None:
    flags = "--context app --target base --platform linux/amd64 --build-arg-name B --build-arg-name A"
    result = sc(f"provenance generate --image {image} {flags} --output json").result
    predicate = predicate_of(project)
    definition, run = predicate["buildDefinition"], predicate["runDetails"]
    assert definition["externalParameters"] == {
        "image": image.partition("@")[0],
        "context": "app",
        "dockerfile": "app/Dockerfile",
        "target": "base",
        "platform": "linux/amd64",
        "buildArgNames": ["A", "B"],
    }
    dockerfile = hashlib.sha256((project / "app/Dockerfile").read_bytes()).hexdigest()
    assert definition["resolvedDependencies"] == [
        {
            "name": "source",
            "uri": "git+https://git.example.com/o/r.git@refs/heads/main",
            "digest": {"gitCommit": source},
            "annotations": {"dirty": False},
        },
        {"name": "dockerfile", "digest": {"sha256": dockerfile}},
        {"name": "base", "uri": "docker://debian:12", "digest": {"sha256": "a" * 64}},
    ]
    assert run["builder"] == {"id": "https://sc-secure.dev/builders/local/v1"}
    assert run["metadata"]["invocationId"].startswith("urn:uuid:")
    assert result["outputs"]["builderId"] == run["builder"]["id"]
    text = json.dumps(predicate)
    assert "hunter2" not in text
    assert str(project) not in text


def test_a_dirty_work_tree_is_marked(sc: CommandLine, image: str, project: Path, source: str) -> None:
    (project / "elsewhere").write_text("not in the context")
    sc(f"provenance generate --image {image} --context app")
    assert predicate_of(project)["buildDefinition"]["resolvedDependencies"][0]["annotations"] == {"dirty": False}
    (project / "app/new").write_text("x")
    result = sc(f"provenance generate --image {image} --context app --output json").result
    assert predicate_of(project)["buildDefinition"]["resolvedDependencies"][0]["annotations"] == {"dirty": True}
    assert any("work tree" in warning for warning in result["warnings"])


def test_what_is_left_out(sc: CommandLine, image: str, project: Path, source: str) -> None:
    sc(f"provenance generate --image {image} --context app --no-include-git --no-include-dockerfile")
    definition = predicate_of(project)["buildDefinition"]
    assert definition["resolvedDependencies"] == []
    assert "dockerfile" not in definition["externalParameters"]


GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "o/r",
    "GITHUB_RUN_ID": "7",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_WORKFLOW_REF": "o/r/.github/workflows/release.yml@refs/heads/main",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_SHA": "c" * 40,
}


def test_the_ci_run_is_named(sc: CommandLine, image: str, project: Path) -> None:
    workflow = "https://github.com/o/r/.github/workflows/release.yml@refs/heads/main"
    done = sc(f"provenance generate --image {image} --no-include-git --output json", **GITHUB)
    details = predicate_of(project)["runDetails"]
    assert details["builder"] == {"id": workflow}
    assert details["metadata"]["invocationId"] == "https://github.com/o/r/actions/runs/7/attempts/2"
    assert done.result["outputs"]["builderId"] == workflow
    sc(f"provenance generate --image {image} --no-include-git --builder-id https://b.example/v1", **GITHUB)
    assert predicate_of(project)["runDetails"]["builder"] == {"id": "https://b.example/v1"}


def test_a_source_without_git_is_the_ci_run_s(sc: CommandLine, image: str, project: Path) -> None:
    done = sc(f"provenance generate --image {image} --output json", **GITHUB)
    assert predicate_of(project)["buildDefinition"]["resolvedDependencies"] == [
        {"name": "source", "uri": "git+https://github.com/o/r@refs/heads/main", "digest": {"gitCommit": "c" * 40}}
    ]
    assert not any("no git commit" in warning for warning in done.result["warnings"])


def test_a_detached_head_has_the_ci_run_s_ref(sc: CommandLine, image: str, project: Path, source: str) -> None:
    subprocess.run(["git", "checkout", "--quiet", "--detach"], cwd=project, check=True)
    sc(f"provenance generate --image {image} --context app", **GITHUB | {"GITHUB_SHA": source})
    commit = predicate_of(project)["buildDefinition"]["resolvedDependencies"][0]
    assert commit["uri"] == "git+https://git.example.com/o/r.git@refs/heads/main"
    sc(f"provenance generate --image {image} --context app", **GITHUB)  # of another commit: not this one's ref
    commit = predicate_of(project)["buildDefinition"]["resolvedDependencies"][0]
    assert commit["uri"] == "git+https://git.example.com/o/r.git"


def test_several_platforms_and_another_builder(sc: CommandLine, image: str, project: Path, source: str) -> None:
    flags = "--platform linux/arm64 --platform linux/amd64 --platform linux/arm64 --builder docker-build"
    assert sc(f"provenance generate --image {image} --context app {flags}").code == 0
    parameters = predicate_of(project)["buildDefinition"]["externalParameters"]
    assert parameters["platforms"] == ["linux/amd64", "linux/arm64"]
    assert parameters["builder"] == "docker-build"
    assert "platform" not in parameters
    assert sc(f"provenance generate --image {image} --builder kaniko").code == 2


def test_it_is_of_the_published_form(sc: CommandLine, image: str, project: Path, source: str) -> None:
    """The protobuf that in-toto publishes for SLSA provenance v1.0 refuses unknown names and wrong types."""
    build = "--platform linux/amd64 --platform linux/arm64 --builder docker-build"
    sc(f"provenance generate --image {image} --context app --target base {build}")
    parsed = json_format.Parse(
        (project / next((project / ".sc").rglob("provenance.slsa.json"))).read_text(), Provenance()
    )
    assert parsed.build_definition.build_type == "https://sc-secure.dev/build-types/docker/v1"
    assert parsed.build_definition.resolved_dependencies[0].digest["gitCommit"] == source
    page = Path(__file__).parents[2] / "docs/build-types/docker-v1.md"
    defined = page.read_text()
    assert f"`{parsed.build_definition.build_type}`" in defined
    for name in parsed.build_definition.external_parameters:
        assert f"| `{name}` |" in defined


@pytest.mark.parametrize("builder", ["", "local", "/home/me", "https://user:pw@x/y"])
def test_a_builder_is_a_uri(sc: CommandLine, image: str, builder: str) -> None:
    assert sc(f"provenance generate --image {image}", "--builder-id", builder).code == 2


@pytest.mark.parametrize("flag", ["--context", "--dockerfile"])
def test_what_is_named_must_be_there(sc: CommandLine, image: str, flag: str) -> None:
    assert sc(f"provenance generate --image {image} {flag} nowhere").code == 2


def test_a_dockerfile_of_which_only_a_part_would_be_hashed(sc: CommandLine, image: str, project: Path) -> None:
    (project / "Dockerfile").write_bytes(b"FROM scratch\n" + b"#" * 5_000_000)
    done = sc(f"provenance generate --image {image} --context .")
    assert (done.code, "Dockerfile: larger than 4 MiB" in done.stderr) == (2, True)
    assert sc(f"provenance generate --image {image} --context . --no-include-dockerfile").code == 0


def test_the_builder_is_verified(sc: CommandLine, image: str, key: str) -> None:
    ours = "https://ci.example.com/builder/v1"
    assert sc(f"provenance attach --image {image} {key} --no-include-git --builder-id {ours}").code == 0
    assert sc(f"provenance verify --image {image} {key}").code == 0
    assert sc(f"provenance verify --image {image} {key} --builder-id {ours}").code == 0
    done = sc(f"provenance verify --image {image} {key} --builder-id https://evil.example.com/v1")
    assert done.code == 4
    assert "evil.example.com" in done.stderr


def test_another_commit_is_another_attestation(
    sc: CommandLine, image: str, key: str, project: Path, source: str
) -> None:
    command = f"provenance attach --image {image} {key} --context app --output json"
    assert sc(command).result["status"] == "passed"
    assert sc(command).result["status"] == "reused"
    (project / "app/new").write_text("x")
    assert sc(command).result["status"] == "passed"
