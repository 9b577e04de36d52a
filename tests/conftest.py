"""The real services that the tests run against, started once for all test processes, on first use.

With `pytest -n`, the first process that needs them starts them, and the controlling process ends them.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devtools import engine, processes, registry, sample_database, tools
from devtools.sigstore import rekor_v1 as local_rekor_v1
from devtools.sigstore import services as local_sigstore
from devtools.sigstore.rekor_v1 import RekorV1
from tests.scheduling import pytest_xdist_make_scheduler

__all__ = ["pytest_xdist_make_scheduler"]  # a hook of pytest-xdist's

if TYPE_CHECKING:
    from tests.clouds.aws import Aws
    from tests.clouds.google.server import Google

_SESSION = "SC_SECURE_TEST_SESSION"
"""Names the folder that the processes of one test run share."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ[_SESSION] = tempfile.mkdtemp(prefix="sc-secure-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    session = Path(os.environ.pop(_SESSION))
    for kind, name in ((RekorV1, "rekor1"), (local_sigstore.Sigstore, "sigstore")):
        with contextlib.suppress(FileNotFoundError):
            kind.load(session / name).stop()
    started = session / "services.json"
    if started.exists():
        services = json.loads(started.read_text())
        processes.Process(**services["registry_process"]).end(patience=5)
        if services["engine_started_here"]:
            engine.stop()
    shutil.rmtree(session, ignore_errors=True)


@contextmanager
def _alone(session: Path, lock_name: str = "lock") -> Iterator[None]:
    with (session / lock_name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def services() -> dict[str, object]:
    """What runs, and where: see `_start`."""
    session = Path(os.environ[_SESSION])
    known = session / "services.json"
    with _alone(session):
        if not known.exists():
            known.write_text(json.dumps(_start(session)))
        return json.loads(known.read_text())


def _start(session: Path) -> dict[str, object]:
    """Tools, a docker engine, a registry, a vulnerability database, a key pair, and Pulumi's plugins."""
    programs = tools.ensure()
    folders = [str(folder) for folder in tools.tools_path(programs)]
    ran_before = processes.recorded("engine") is not None
    docker = engine.ensure()
    registry_here = registry.start(session / "registry", crane=programs["crane"])
    database = session / "grype"
    sample_database.import_into(programs["grype"], database)
    home = session / "home"
    home.mkdir()
    return {
        "path": folders,
        "docker_host": docker.host,
        "engine_started_here": docker.started and not ran_before,
        "registry": registry_here.address,
        "registry_process": {"pid": registry_here.process.pid, "began": registry_here.process.began},
        "database": str(database),
        "home": str(home),
        "pulumi_home": str(_plugins(programs["pulumi"], session)),
    }


def _plugins(pulumi: Path, session: Path) -> Path:
    """A home with the official plugins of PULUMI_HOME if asked for, else the offline ones; the others' are offline."""
    from tests.plugins.install import BUILD_VERSIONS, CLOUD_VERSIONS, VERSIONS, install  # noqa: PLC0415 - needs the Pulumi SDK

    home = session / "pulumi"
    if os.environ.get("SC_SECURE_PLUGINS") == "official":
        _borrow_official(Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi"), home)
    else:
        install(pulumi, home, sys.executable, VERSIONS)
    install(pulumi, home, sys.executable, CLOUD_VERSIONS | BUILD_VERSIONS)
    return home


def _borrow_official(official: Path, home: Path) -> None:
    """Links the official plugins: file by file, since Pulumi doesn't take a link for a plugin's folder."""
    from tests.plugins.install import VERSIONS, is_offline  # noqa: PLC0415 - needs the Pulumi SDK

    for name, version in VERSIONS.items():
        plugin = f"resource-{name}-v{version}"
        assert (official / "plugins" / plugin).is_dir(), f"no {name} {version} in {official}"
        assert not is_offline(official, name), f"the {name} plugin in {official} isn't the official one"
        (home / "plugins" / plugin).mkdir(parents=True)
        for file in (official / "plugins" / plugin).iterdir():
            (home / "plugins" / plugin / file.name).symlink_to(file.absolute())


@pytest.fixture(scope="session")
def tools_env(services: dict[str, object]) -> dict[str, str]:
    """An environment with the tools, a sample vulnerability database and this Python, and nothing else."""
    venv = Path(sys.prefix)
    path = [str(venv / "bin"), *services["path"], "/usr/local/bin", "/usr/bin", "/bin"]  # type: ignore[misc]
    passed_on = {
        key: os.environ[key]
        for key in ("LANG", "SC_SECURE_CACHE", "SSL_CERT_FILE", "COVERAGE_PROCESS_CONFIG")
        if key in os.environ
    }
    return passed_on | {
        "PATH": os.pathsep.join(path),
        "VIRTUAL_ENV": str(venv),
        "HOME": str(services["home"]),
        "DOCKER_HOST": str(services["docker_host"]),
        "GRYPE_DB_CACHE_DIR": str(services["database"]),
        "GRYPE_DB_AUTO_UPDATE": "false",
        "GRYPE_CHECK_FOR_APP_UPDATE": "false",
        "SYFT_CHECK_FOR_APP_UPDATE": "false",
    }


@pytest.fixture(scope="session")
def pulumi_env(tools_env: dict[str, str], services: dict[str, object]) -> dict[str, str]:
    """`tools_env`, and what Pulumi needs; a project adds its own state backend."""
    return tools_env | {
        "PULUMI_HOME": str(services["pulumi_home"]),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


@pytest.fixture(scope="session", name="registry")
def _registry(services: dict[str, object]) -> str:
    """A registry on loopback, as `host:port`: plain HTTP, and no referrers API."""
    return str(services["registry"])


@pytest.fixture(scope="session")
def sigstore() -> local_sigstore.Sigstore:
    """A Sigstore on loopback. Its programs are built when a machine first needs them, which takes two minutes."""
    session = Path(os.environ[_SESSION])
    with _alone(session, "sigstore.lock"):
        try:
            return local_sigstore.Sigstore.load(session / "sigstore")
        except FileNotFoundError:
            return local_sigstore.start(session / "sigstore")


@pytest.fixture(scope="session")
def rekor_v1(sigstore: local_sigstore.Sigstore) -> RekorV1:
    """The same Sigstore with a Rekor 1. Its programs are built when first needed, which takes three minutes."""
    session = Path(os.environ[_SESSION])
    with _alone(session, "rekor1.lock"):
        try:
            return RekorV1.load(session / "rekor1")
        except FileNotFoundError:
            return local_rekor_v1.start(session / "rekor1", sigstore)


@pytest.fixture
def counted_entries() -> Iterator[None]:
    """For tests that count the entries of Rekor 1, which all share: one at a time."""
    with _alone(Path(os.environ[_SESSION]), "rekor1-counted.lock"):
        yield


@pytest.fixture(scope="session")
def _made_keys(tools_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("key-pair")
    command = ["cosign", "generate-key-pair", "--output-key-prefix", "cosign"]
    env = tools_env | {"COSIGN_PASSWORD": "test"}
    subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    return folder


@pytest.fixture
def key_pair(tmp_path: Path, _made_keys: Path) -> Path:
    """A cosign private key; its public half is beside it as `.pub`, its password is `COSIGN_PASSWORD` = `test`."""
    for file in _made_keys.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path / "cosign.key"


@pytest.fixture(scope="session")
def aws_server() -> Iterator["Aws"]:
    """AWS on loopback, as the last test left it: for fixtures that several tests share."""
    from tests.clouds.aws import Aws  # noqa: PLC0415 - needs moto, which takes a second

    server = Aws()
    yield server
    server.stop()


@pytest.fixture
def aws(aws_server: "Aws") -> "Aws":
    """AWS on loopback, with an account in which there is nothing yet."""
    aws_server.reset()
    return aws_server


@pytest.fixture(scope="session")
def _google() -> Iterator["Google"]:
    from tests.clouds.google.server import Google  # noqa: PLC0415 - needs Google's libraries

    server = Google()
    yield server
    server.close()


@pytest.fixture
def google(_google: "Google") -> "Google":
    """Google's APIs on loopback, with nothing in them."""
    _google.reset()
    return _google
