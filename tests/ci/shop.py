"""The example as a repository of its own, and a machine without anything that the pipelines have to install.

What comes from the internet is here on loopback or on disk: the tools' archives (the real tools within, with checksums
of their own in the repository's copy of the installer), a wheel of this package for pip, and a Sigstore.
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml

from devtools.sigstore.services import Sigstore

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/ci"
SECRETS = {"PULUMI_CONFIG_PASSPHRASE": "pass-sentinel", "PULUMI_ACCESS_TOKEN": ""}
STACK = "Pulumi.production.yaml"
PACKAGE = "sqlparse-0.4.4.dist-info/METADATA"
"""A package with a published advisory of severity high, which has a fix (GHSA-2m57-hf25-phgg)."""
_ARCHIVES = {
    "cosign-linux-{arch}": ["cosign"],
    "syft_{syft}_linux_{arch}.tar.gz": ["syft"],
    "grype_{grype}_linux_{arch}.tar.gz": ["grype"],
    "pulumi-v{pulumi}-linux-{pulumi_arch}.tar.gz": ["pulumi/pulumi", "pulumi/pulumi-language-python"],
}
_CURL = """#!/bin/sh
# Stands for curl: what the internet has is in a folder.
case "$*" in *"--fail "*"--proto =https --tlsv1.2 "*) ;; *) echo "curl: not as it should be: $*" >&2; exit 2 ;; esac
while [ $# -gt 1 ]; do if [ "$1" = --output ]; then target=$2; fi; shift; done
case "$1" in https://*) exec cp "{folder}/${{1##*/}}" "$target" ;; esac
exit 2
"""

_PYTHON = """#!/bin/sh
# The machine's Python; for an environment of a job's own, without the seconds that it takes to unpack pip:
# the machine's own is used, which must not take what is installed beside it for installed here.
if [ "$1 $2" != "-m venv" ]; then exec {python}/python3 "$@"; fi
{python}/python3 -m venv --without-pip "$3"
printf '#!/bin/sh\\nPIP_IGNORE_INSTALLED=1 exec %s/bin/python {pip} "$@"\\n' "$(cd "$3" && pwd)" > "$3/bin/pip"
chmod +x "$3/bin/pip"
"""


class Shop:
    """The repository, and what its pipelines reach."""

    def __init__(
        self, folder: Path, env: Mapping[str, str], *, stack: Path, registry: str, sigstore: Sigstore, python: Path
    ) -> None:
        """Args:
        folder: for everything.
        env: with the real tools on PATH.
        stack: what `make_stack` made.
        registry: its address.
        sigstore: instead of the public one.
        python: the folder of an interpreter with nothing but pip.
        """
        self._env = dict(env)
        self.repository = folder / "repository"
        self.state = folder / "state"
        shutil.copytree(stack / "state", self.state)
        self.registry = registry
        self.image_name = f"{registry}/{folder.name.replace('_', '-').lower()}/shop:main"
        internet, programs = folder / "internet", folder / "programs"
        internet.mkdir()
        programs.mkdir()
        shutil.copytree(EXAMPLE, self.repository)
        _archives(internet, self._env["PATH"])
        _expect(self.repository / "ci/install-tools.sh", internet)
        [pip] = python.parent.glob("lib/python3.*/site-packages/pip")
        for name, script in (
            ("curl", _CURL.format(folder=internet)),
            ("python3", _PYTHON.format(python=python, pip=pip)),
        ):
            (programs / name).write_text(script)
            (programs / name).chmod(0o755)
        sum_ = _wheel(internet)
        (self.repository / "requirements.txt").write_text(f"sc-secure==0.0.1 --hash=sha256:{sum_}\n")
        shutil.copytree(sigstore.folder, self.repository / "sigstore", ignore=_all_but_the_public_files)
        self._trust(sigstore)
        tools = ("PATH", "VIRTUAL_ENV", "HOME", "PULUMI_CONFIG_PASSPHRASE")
        self.machine = {name: value for name, value in self._env.items() if name not in tools} | {
            "PATH": f"{programs}:{python}:/usr/local/bin:/usr/bin:/bin",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(internet),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        """What each machine has: the network's addresses, Python, and none of the tools."""
        self.backend = {"PULUMI_BACKEND_URL": f"file://{self.state}"}
        self._git("init", "--quiet", "--initial-branch", "main")
        self._stack(stack)
        self.commit("the first version")

    def issued_by(self, issuer: str, identity: str) -> None:
        """Who must have signed, in the policy."""
        policy = self.policy()
        policy["security"]["signing"]["verify"] = {
            "identityRegexp": f"^{re.escape(identity)}$",
            "oidcIssuer": issuer,
        }
        self.write("policy.yaml", yaml.safe_dump(policy))

    def policy(self) -> dict[str, Any]:
        return yaml.safe_load((self.repository / "policy.yaml").read_text())

    def write(self, name: str, content: str) -> None:
        file = self.repository / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def commit(self, message: str) -> str:
        """Commits everything; the commit."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "--message", message)
        return self._git("rev-parse", "HEAD").strip()

    def clone(self, commit: str, target: Path) -> None:
        """What a checkout leaves there."""
        self._git("clone", "--quiet", "--no-hardlinks", str(self.repository), str(target))
        subprocess.run(["git", "-C", str(target), "checkout", "--quiet", commit], env=self._identity(), check=True)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        text = self._pulumi("stack", "output", "--json", "--stack", "production")
        return yaml.safe_load(text)

    def export(self) -> str:
        """The state, with its secrets."""
        return self._pulumi("stack", "export", "--show-secrets", "--stack", "production")

    def cosign(self, *arguments: str) -> bool:
        """Whether cosign says yes."""
        trust = f"--trusted-root={self.repository}/sigstore/trusted_root.json"
        words = ["cosign", arguments[0], trust, *arguments[1:]]
        return subprocess.run(words, env=self._env, check=False, capture_output=True).returncode == 0

    def _trust(self, sigstore: Sigstore) -> None:
        policy = self.policy()
        signing = policy["security"]["signing"]
        assert signing["verify"]["oidcIssuer"].startswith("https://")
        signing |= {"signingConfig": "sigstore/signing_config.json", "trustedRoot": "sigstore/trusted_root.json"}
        self.write("policy.yaml", yaml.safe_dump(policy))

    def _stack(self, stack: Path) -> None:
        self.write(f"app/{PACKAGE}", "Metadata-Version: 2.1\nName: sqlparse\nVersion: 0.4.4\n")
        settings = yaml.safe_load((stack / STACK).read_text())
        settings["config"] = {"shop:imageName": self.image_name, "shop:base": "scratch"}
        self.write(STACK, yaml.safe_dump(settings))

    def _pulumi(self, *arguments: str) -> str:
        return _pulumi(self.repository, {**self._env, **self.backend}, *arguments)

    def _identity(self) -> dict[str, str]:
        who = {f"GIT_{role}_{what}": "dev@acme.test" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        return {**self._env, **who, "GIT_CONFIG_NOSYSTEM": "1"}

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.repository), *arguments]
        return subprocess.run(command, env=self._identity(), check=True, capture_output=True, text=True).stdout


def make_stack(folder: Path, env: Mapping[str, str]) -> None:
    """A stack of the example, in which nothing is yet: `state`, and its settings."""
    (folder / "state").mkdir()
    shutil.copy(EXAMPLE / "Pulumi.yaml", folder)
    env = {**env, "PULUMI_BACKEND_URL": f"file://{folder}/state"}
    _pulumi(folder, env, "stack", "init", "production")


def _pulumi(folder: Path, env: Mapping[str, str], *arguments: str) -> str:
    command = ["pulumi", *arguments, "--non-interactive"]
    done = subprocess.run(command, cwd=folder, env={**env, **SECRETS}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _all_but_the_public_files(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name not in ("signing_config.json", "trusted_root.json")]


def _archives(internet: Path, path: str) -> None:
    """The releases' files, for every platform; in each a program that is the real one."""
    versions = installed_versions()
    for pattern, members in _ARCHIVES.items():
        programs = {member: f'#!/bin/sh\nexec {_which(member, path)} "$@"\n'.encode() for member in members}
        content = _packed(programs) if pattern.endswith(".gz") else programs[members[0]]
        for arch, pulumi_arch in (("amd64", "x64"), ("arm64", "arm64")):
            (internet / pattern.format(**versions, arch=arch, pulumi_arch=pulumi_arch)).write_bytes(content)


def _packed(programs: Mapping[str, bytes]) -> bytes:
    made = BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for member, content in programs.items():
            entry = tarfile.TarInfo(member)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, BytesIO(content))
    return made.getvalue()


def installed_versions() -> dict[str, str]:
    """The versions that the example's installer installs."""
    text = (EXAMPLE / "ci/install-tools.sh").read_text()
    return dict(re.findall(r"^(cosign|syft|grype|pulumi)=(\S+)$", text, re.MULTILINE))


def _which(member: str, path: str) -> str:
    found = shutil.which(Path(member).name, path=path)
    assert found, member
    return found


def _expect(installer: Path, internet: Path) -> None:
    """Puts these archives' checksums in the place of the real ones."""
    archives = {re.split("[-_]", file.name)[0]: file for file in sorted(internet.iterdir()) if "arm64" not in file.name}
    text = installer.read_text()
    for tool, file in archives.items():
        sum_ = hashlib.sha256(file.read_bytes()).hexdigest()
        text, count = re.subn(rf"(?m)^( +{tool}_sum=)[0-9a-f]{{64}}$", rf"\g<1>{sum_}", text)
        assert count == 2, tool
    installer.write_text(text)


def _wheel(internet: Path) -> str:
    """A wheel that makes this very package, and what it needs, importable; its SHA-256."""
    packages = next(path for path in Path(yaml.__file__).parents if path.name == "site-packages")
    info = "sc_secure-0.0.1.dist-info"
    files = {
        "sc_secure_here.pth": f"{ROOT}\n{packages}\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: sc-secure\nVersion: 0.0.1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nsc-secure = sc_secure.cli:main\n",
    }
    record = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text)}"
        for name, text in files.items()
    ]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    wheel = internet / "sc_secure-0.0.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    os.utime(wheel)
    return hashlib.sha256(wheel.read_bytes()).hexdigest()
