import hashlib
import json
from pathlib import Path

import pytest

from tests.command_line import CommandLine, in_process, wrap

FORMATS = {
    "cyclonedx-json": ("sbom.cyclonedx.json", "bomFormat"),
    "spdx-json": ("sbom.spdx.json", "spdxVersion"),
    "syft-json": ("sbom.syft.json", "artifacts"),
}


def test_each_format_is_written_and_named(sc: CommandLine, project: Path, image: str) -> None:
    folder = f".sc/artifacts/{image.partition('@')[2].replace(':', '-')}"
    for form, (file, marker) in FORMATS.items():
        result = sc(f"sbom generate --image {image} --format {form} --output json").result
        content = (project / folder / file).read_bytes()
        assert result["outputs"] == {
            "path": f"{folder}/{file}",
            "sha256": hashlib.sha256(content).hexdigest(),
            "format": form,
            "packages": 2,
        }
        assert result["tool"]["name"] == "syft"
        assert json.loads(content)[marker]
        assert (project / folder / file).stat().st_mode & 0o777 == 0o644
        assert (project / folder / "sbom.syft.json").exists()


def test_the_same_image_gives_the_same_bytes_whatever_was_asked_first(
    sc: CommandLine, project: Path, image: str
) -> None:
    found = []
    for artifacts, forms in (("one", ("cyclonedx-json", "spdx-json")), ("two", ("spdx-json", "cyclonedx-json"))):
        for form in forms:
            sc(f"sbom generate --image {image} --format {form} --artifacts {artifacts}")
        found.append({file.name: file.read_bytes() for file in (project / artifacts).rglob("*.json")})
    assert len(found[0]) == 3
    assert found[0] == found[1]


def test_no_path_of_this_machine_is_in_it(sc: CommandLine, project: Path, image: str) -> None:
    sc(f"sbom generate --image {image} --format cyclonedx-json")
    for document in (project / ".sc/artifacts").rglob("*.json"):
        assert str(project.parents[2]) not in document.read_text()
        assert "sc-secure-run-" not in document.read_text()


def test_the_image_is_read_once(
    tools_env: dict[str, str],
    project: Path,
    image: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    env = wrap(project / "bin", tools_env, "syft", f'[ "$1" = scan ] && echo x >> {project}/runs\nexec "$real" "$@"')
    sc = in_process(env, project, monkeypatch, capsys)
    assert sc(f"sbom generate --image {image} --format cyclonedx-json --output json").result["status"] == "passed"
    for form in FORMATS:
        assert sc(f"sbom generate --image {image} --format {form} --output json").result["status"] == "reused"
    sc(f"image scan --image {image} --fail-on critical")
    assert (project / "runs").read_text() == "x\n"


def test_a_broken_document_is_made_again(sc: CommandLine, project: Path, image: str) -> None:
    sc(f"sbom generate --image {image} --format syft-json")
    (document,) = (project / ".sc").rglob("sbom.syft.json")
    whole = document.read_bytes()
    document.write_bytes(whole[: len(whole) // 2])
    assert sc(f"sbom generate --image {image} --format syft-json --output json").result["status"] == "passed"
    assert document.read_bytes() == whole


def test_a_configuration_in_the_project_leaves_nothing_out(sc: CommandLine, project: Path, image: str) -> None:
    (project / ".syft.yaml").write_text("exclude: ['**/*']\n")
    result = sc(
        f"sbom generate --image {image} --format syft-json --output json", SYFT_EXCLUDE="**/*", SYFT_FORMAT_PRETTY="1"
    ).result
    assert result["outputs"]["packages"] == 2


def test_an_image_that_is_not_there(sc: CommandLine, image: str) -> None:
    missing = image[:-4] + ("0000" if image[-4:] != "0000" else "1111")
    done = sc(f"sbom generate --image {missing} --format syft-json")
    assert (done.code, done.stdout) == (6, "")
    assert "syft" in done.stderr
    assert "MANIFEST_UNKNOWN" in done.stderr
    assert "[31m" not in done.stderr  # no colours


def test_syft_never_sees_the_password(
    tools_env: dict[str, str],
    project: Path,
    image: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    env = wrap(project / "bin", tools_env, "syft", f'env > {project}/seen\nexec "$real" "$@"')
    sc = in_process(env, project, monkeypatch, capsys)
    sc(f"sbom generate --image {image} --format syft-json", COSIGN_PASSWORD="hunter2", PULUMI_ACCESS_TOKEN="hunter2")
    assert "hunter2" not in (project / "seen").read_text()


def test_it_is_said_what_to_do_about_it(sc: CommandLine, image: str) -> None:
    for missing in (image.partition("@")[0], image.partition("/")[0] + "/nowhere"):
        done = sc(f"sbom generate --image {missing}@sha256:{'0' * 64}")
        assert done.code == 6
        assert "the registry doesn't hold this image" in done.stderr
        assert "push the image first" in done.stderr
