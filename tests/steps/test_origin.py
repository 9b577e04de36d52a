"""Verifying where an image comes from: its builder, source and commit, as its provenance says; and its very digest."""

import json
import subprocess
from pathlib import Path

import pytest

from sc_secure.errors import ConfigError
from sc_secure.steps.origin import Origin, parse_origin
from tests.command_line import CommandLine
from tests.steps.conftest import PushImage

BUILDER, URI, COMMIT = "https://ci.example/builder", "https://git.example/acme/shop", "a" * 40
SOURCE = {"uri": f"git+{URI}@refs/heads/main", "digest": {"gitCommit": COMMIT}}


def provenance(*dependencies: object, builder: object = BUILDER) -> dict[str, object]:
    return {
        "buildDefinition": {"resolvedDependencies": list(dependencies)},
        "runDetails": {"builder": {"id": builder}},
    }


@pytest.mark.parametrize(
    ("uri", "matches"),
    [
        (URI, True),
        ("git.example/acme/shop", True),
        ("git+https://git.example/acme/shop.git", True),
        ("ssh://git@GIT.example/acme/shop.git", True),
        ("git@git.example:acme/shop.git", True),
        (f"{URI}@refs/heads/main", True),
        (f"{URI}@refs/heads/other", False),
        (f"{URI}@refs/heads/main2", False),
        ("https://git.example/acme/shop2", False),
        ("https://git.example/acme", False),
        ("https://git.example/acme/shop/evil", False),
        ("https://git.example.evil/acme/shop", False),
        ("https://git.example:8443/acme/shop", False),
    ],
)
def test_a_repository_however_it_is_reached(uri: str, matches: bool) -> None:
    problem = parse_origin(None, uri, None).problem(provenance(SOURCE))
    assert (problem == "") is matches
    if not matches:
        assert problem == f"it names the source git+{URI}@refs/heads/main, not {uri}"


@pytest.mark.parametrize(
    ("demanded", "said", "why"),
    [
        (Origin(BUILDER), provenance(SOURCE), ""),
        (Origin("https://ci.example/builder2"), provenance(SOURCE), f"it names the builder {BUILDER}, not"),
        (Origin(BUILDER), provenance(SOURCE, builder=[BUILDER]), "it names the builder none, not"),
        (Origin(BUILDER), {}, "it names the builder none, not"),
        (Origin("", "", COMMIT), provenance(SOURCE), ""),
        (Origin("", "", "b" * 40), provenance(SOURCE), f"it names the commit {COMMIT}, not"),
        (Origin("", URI), provenance(), "it names the source none, not"),
        (Origin("", URI), provenance({"uri": URI}), "it names the source none, not"),
        # Of two sources it isn't known which was built.
        (Origin("", URI), provenance(SOURCE, {"digest": {"gitCommit": "b" * 40}}), "it names the source none, not"),
        (Origin("", URI), provenance({**SOURCE, "annotations": {"dirty": True}}), "changes that aren't in its commit"),
        (Origin("", "", COMMIT), provenance({**SOURCE, "annotations": {"dirty": False}}), ""),
        (Origin("", URI), {"buildDefinition": {"resolvedDependencies": {"uri": URI}}}, "it names the source none, not"),
    ],
)
def test_what_it_has_to_name(demanded: Origin, said: dict[str, object], why: str) -> None:
    problem = demanded.problem(said)
    assert (why in problem) if why else problem == ""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("", None, None), "--builder-id none: not a URI"),
        ((" ", None, None), "--builder-id"),
        ((None, "", None), "--source-uri none: names no repository"),
        ((None, "shop", None), "names no repository"),
        ((None, "https:///shop", None), "names no repository"),
        ((None, "https://[/x", None), "names no repository"),
        ((None, "https://x/\x1b[31m", None), "names no repository"),
        ((None, None, "abc123"), "not a whole commit"),
        ((None, None, "A" * 40), "not a whole commit"),
        ((None, None, ""), "not a whole commit"),
    ],
)
def test_what_demands_nothing_is_refused(given: tuple[str | None, str | None, str | None], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_origin(*given)
    assert said in raised.value.message


def test_on_a_real_image(sc: CommandLine, image: str, new_image: PushImage, key: str, project: Path) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t"]
    for words in (["init", "-q", "-b", "main"], ["remote", "add", "origin", "git@git.example:acme/shop.git"]):
        subprocess.run([*git, *words], cwd=project, check=True, capture_output=True)
    (project / "Dockerfile").write_text("FROM scratch\n")
    subprocess.run([*git, "add", "Dockerfile"], cwd=project, check=True, capture_output=True)
    subprocess.run([*git, "commit", "-qm", "x"], cwd=project, check=True, capture_output=True)
    commit = subprocess.run(
        [*git, "rev-parse", "HEAD"], cwd=project, check=True, capture_output=True, text=True
    ).stdout.strip()
    times = "--started-on 2026-11-25T10:30:00+01:00 --finished-on 2026-11-25T09:45:00Z"
    values = "--dockerfile Dockerfile --build-arg VERSION=1.2=3 --build-arg-name TOKEN"
    assert sc(f"image sign --image {image} {key}").code == 0
    for status in ("passed", "reused"):
        flags = f"--image {image} {key} --builder-id {BUILDER} {values} {times} --output json"
        assert sc(f"provenance attach {flags}").result["status"] == status
    (file,) = (project / ".sc").rglob("provenance.slsa.json")
    predicate = json.loads(file.read_bytes())
    parameters, metadata = predicate["buildDefinition"]["externalParameters"], predicate["runDetails"]["metadata"]
    assert (parameters["buildArgNames"], parameters["buildArgs"]) == (["TOKEN", "VERSION"], {"VERSION": "1.2=3"})
    assert (metadata["startedOn"], metadata["finishedOn"]) == ("2026-11-25T09:30:00Z", "2026-11-25T09:45:00Z")

    public = "--key cosign.pub"
    demanded = f"--builder-id {BUILDER} --source-uri {URI} --source-commit {commit}"
    digest = image.partition("@")[2]
    for step in ("image verify", "provenance verify"):
        result = sc(f"{step} --image {image} {public} {demanded} --expected-digest {digest} --output json").result
        assert "https://slsa.dev/provenance/v1" in result["outputs"]["verified"]
        for flag, said in (
            ("--builder-id https://evil.example/b", f"it names the builder {BUILDER}, not https://evil.example/b"),
            (
                f"--source-uri {URI}2",
                f"it names the source git+ssh://git.example/acme/shop.git@refs/heads/main, not {URI}2",
            ),
            (f"--source-commit {COMMIT}", f"it names the commit {commit}, not {COMMIT}"),
        ):
            done = sc(f"{step} --image {image} {public} {flag}")
            assert (done.code, done.stdout) == (4, "")
            assert said in done.stderr
    for step in ("image verify", "provenance verify", "sbom verify", "scan verify"):
        done = sc(f"{step} --image {image} {public} --expected-digest sha256:{'0' * 64}")
        assert (done.code, f"--image is {digest}" in done.stderr) == (4, True)
    # Without provenance, nothing is named.
    other = new_image({"six": "1.16"})
    assert sc(f"image sign --image {other} {key}").code == 0
    done = sc(f"image verify --image {other} {public} --source-uri {URI}")
    assert (done.code, "https://slsa.dev/provenance/v1" in done.stderr) == (4, True)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--build-arg NAME", "NAME=VALUE is expected"),
        ("--build-arg =x", "NAME=VALUE is expected"),
        ("--started-on yesterday", "a time with its zone is expected"),
        ("--started-on 2026-11-25T09:30:00", "a time with its zone is expected"),
        ("--started-on 0001-01-01T00:00:00+14:00", "a time with its zone is expected"),
        ("--finished-on 2099-01-01T00:00:00Z", "in the future"),
        ("--started-on 2026-01-02T00:00:00Z --finished-on 2026-01-01T00:00:00Z", "later than --finished-on"),
    ],
)
def test_bad_flags_are_refused_before_anything(
    sc: CommandLine, image: str, project: Path, flags: str, said: str
) -> None:
    done = sc(f"provenance generate --image {image} {flags}")
    assert (done.code, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())
    assert not list(project.rglob("provenance*"))
