"""The base image: which one is taken, and that nothing of this machine gets into one made here."""

import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from devtools import base_image
from devtools.console import SetupError


@pytest.fixture
def docker(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """A stand-in for the docker client: notes its arguments and does as its few lines of shell say."""

    def make(script: str) -> dict[str, str]:
        folder = tmp_path / "bin"
        folder.mkdir()
        program = folder / "docker"
        program.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\n{script}\n')
        program.chmod(0o755)
        return {"PATH": f"{folder}:/usr/bin:/bin"}

    return make


def test_what_the_engine_has_is_used_without_asking_anybody(
    docker: Callable[[str], dict[str, str]], tmp_path: Path
) -> None:
    env = docker(f'test "$1 $2 $3" = "image inspect {base_image.OWN}"')
    assert base_image.ensure(env, tmp_path) == base_image.OWN
    assert {line.split()[0] for line in (tmp_path / "calls").read_text().splitlines()} == {"image"}


def test_a_public_registry_comes_before_making_one(docker: Callable[[str], dict[str, str]], tmp_path: Path) -> None:
    env = docker('test "$1" != image')
    assert base_image.ensure(env, tmp_path) == base_image.PUBLIC


def test_one_made_before_is_loaded(docker: Callable[[str], dict[str, str]], tmp_path: Path) -> None:
    env = docker('test "$1" = load')
    (tmp_path / f"base-{base_image.SUITE}-{base_image._architecture()}.tar").touch()
    assert base_image.ensure(env, tmp_path) == base_image.OWN


def test_without_root_or_registry_the_error_says_what_to_do(
    docker: Callable[[str], dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = docker("exit 1")
    monkeypatch.setattr(base_image.os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match=r"(?s)public registry.*docker load"):
        base_image.ensure(env, tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("sources.list", "# deb http://old.example/debian x\ndeb http://m.example/debian/ trixie main\n", "m.example"),
        ("sources.list.d/a.sources", "Types: deb\nURIs: https://n.example/x/debian\nSuites: trixie\n", "n.example/x"),
        ("sources.list.d/b.list", "deb [signed-by=/k.gpg] http://o.example/debian trixie main\n", "o.example"),
        ("sources.list.d/c.list", "deb https://other.example/apt stable main\n", "ftp.debian.org"),
        ("sources.list.d/d.list", "deb http://user:password@p.example/debian trixie main\n", "ftp.debian.org"),
        ("nothing", "", "ftp.debian.org"),
    ],
)
def test_the_mirror_is_the_one_that_apt_uses(tmp_path: Path, name: str, text: str, expected: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    assert base_image.mirror(tmp_path).partition("://")[2] == f"{expected}/debian"


def test_a_packed_root_has_nothing_of_this_machine_and_the_same_id_each_time(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ours = "http://mirror.example"
    for name in (
        "etc/apt/sources.list",
        "etc/apt/sources.list.d/debian.sources",
        "etc/resolv.conf",
        "etc/hosts",
        "etc/hostname",
        "var/log/bootstrap.log",
        "var/log/apt/history.log",
        "var/lib/apt/lists/mirror_Packages",
        "var/cache/apt/archives/a.deb",
        "debootstrap/debootstrap.log",
        "tmp/left",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(ours)
    (root / "usr/share/doc/bash").mkdir(parents=True)
    (root / "usr/share/doc/bash/copyright").write_text("GPL")
    (root / "var/run").symlink_to("/run")
    base_image._clean(root)
    images = [tmp_path / "one.tar", tmp_path / "two.tar"]
    for image in images:
        base_image._pack(root, image, tmp_path, ["python3"])
    assert _id(images[0]) == _id(images[1])
    with tarfile.open(tmp_path / "layer.tar") as layer:
        members = {member.name.removeprefix("./"): member for member in layer}
        read = {
            name: (layer.extractfile(member) or pytest.fail(name)).read().decode()
            for name, member in members.items()
            if member.isfile()
        }
    assert read == {"usr/share/doc/bash/copyright": "GPL", "etc/apt/sources.list": read["etc/apt/sources.list"]}
    assert read["etc/apt/sources.list"] == f"deb http://ftp.debian.org/debian {base_image.SUITE} main\n"
    assert members["var/run"].issym()
    assert {member.uname for member in members.values()} == {""}


def _id(image: Path) -> str:
    """The image's id as the engine computes it: the digest of its configuration, which names that of its layer."""
    with tarfile.open(image) as archive:
        manifest = json.loads((archive.extractfile("manifest.json") or pytest.fail()).read())
        config = (archive.extractfile(manifest[0]["Config"]) or pytest.fail()).read()
        layer = (archive.extractfile("layer.tar") or pytest.fail()).read()
    assert json.loads(config)["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    return hashlib.sha256(config).hexdigest()
