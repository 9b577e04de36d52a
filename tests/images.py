"""Small real images, made without a docker engine: a Debian-like tree with Python packages in it."""

import io
import json
import subprocess
import tarfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

VULNERABLE = {"sqlparse": "0.4.4", "idna": "3.6"}
"""One high and one medium finding in the sample database."""
CLEAN = {"sqlparse": "0.5.1"}


def push_image(env: Mapping[str, str], folder: Path, repository: str, packages: Mapping[str, str]) -> str:
    """Push an image to `host:port/name`; its reference, `repository@sha256:…`."""
    layer = folder / f"{repository.replace('/', '_')}.tar"
    with tarfile.open(layer, "w") as tar:
        _add(tar, "etc/os-release", 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n')
        _add(tar, "etc/debian_version", "12.1\n")
        for name, version in packages.items():
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            _add(tar, f"usr/lib/python3/dist-packages/{name}-{version}.dist-info/METADATA", metadata)
    return _crane(env, "append", "--oci-empty-base", "--new_layer", str(layer), "--new_tag", f"{repository}:1")


def push_index(
    env: Mapping[str, str], folder: Path, repository: str, platforms: Mapping[str, Mapping[str, str]]
) -> str:
    """Push an index of images, by platform (`linux/arm64`); its reference."""
    members: list[str] = []
    for platform, packages in platforms.items():
        image = push_image(env, folder, repository, packages)
        tag = f"{repository}:{platform.replace('/', '-')}"
        done = _crane(env, "mutate", "--set-platform", platform, image, "--tag", tag)
        members += ["--manifest", done]
    return _crane(env, "index", "append", *members, "--tag", f"{repository}:index")


def _crane(env: Mapping[str, str], *words: str) -> str:
    done = subprocess.run(["crane", *words], env=dict(env), check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _add(tar: tarfile.TarFile, path: str, text: str) -> None:
    entry = tarfile.TarInfo(path)
    entry.size = len(text)
    tar.addfile(entry, io.BytesIO(text.encode()))


def attachments(reference: str) -> list[str]:
    """The digests of what is attached to an image in a registry without a referrers API."""
    repository, _, digest = reference.partition("@")
    host, _, name = repository.partition("/")
    url = f"http://{host}/v2/{name}/manifests/{digest.replace(':', '-')}"
    index = {"Accept": "application/vnd.oci.image.index.v1+json"}
    request = urllib.request.Request(url, headers=index)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - http on loopback
            return [entry["digest"] for entry in json.load(response)["manifests"]]
    except urllib.error.HTTPError:
        return []
