"""What `make up` prepares for the quickstart, without a docker engine: packages, key, database settings."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from devtools import quickstart, sample_database
from devtools.console import SetupError

REQUIREMENTS = quickstart.QUICKSTART / "app/requirements.txt"


def content(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Each file's mode, time and digest."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode & 0o777,
            int(path.stat().st_mtime),
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "requirements.txt").write_text(REQUIREMENTS.read_text())
    return folder


@pytest.fixture
def pip_env(tools_env: dict[str, str]) -> dict[str, str]:
    """With this machine's settings of pip, which may be needed to reach an index."""
    return {**os.environ, **tools_env}


def test_packages_are_the_same_each_time_and_hold_nothing_of_this_machine(
    app: Path, pip_env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    quickstart.unpack_packages(app, pip_env)
    first = content(app / "site-packages")
    assert {path.name for path in app.iterdir()} == {"requirements.txt", "site-packages"}
    assert {name.partition("/")[0] for name in first if ".dist-info" in name} == {
        "bottle-0.13.4.dist-info",
        "idna-3.6.dist-info",
        "sqlparse-0.4.4.dist-info",
        "waitress-3.0.2.dist-info",
    }
    for unwanted in ("bin/", "__pycache__", "direct_url.json", "INSTALLER", "REQUESTED", ".data/"):
        assert not [name for name in first if unwanted in name]
    capsys.readouterr()
    quickstart.unpack_packages(app, pip_env)
    assert capsys.readouterr().err == "packages: unpacked already\n"
    assert content(app / "site-packages") == first

    (app / "site-packages/.made-from").unlink()
    (app / "site-packages/stray.py").touch()
    quickstart.unpack_packages(app, pip_env)
    again = content(app / "site-packages")
    assert {name: seen for name, seen in again.items() if name != ".made-from"} == {
        name: seen for name, seen in first.items() if name != ".made-from"
    }


def test_a_package_with_another_hash_is_refused(app: Path, pip_env: dict[str, str]) -> None:
    pinned = (app / "requirements.txt").read_text()
    (app / "requirements.txt").write_text(pinned.replace("sha256:0456", "sha256:6540"))
    with pytest.raises(SetupError, match=r"(?s)couldn't download.*HASH"):
        quickstart.unpack_packages(app, pip_env)
    assert not (app / "site-packages").exists()


def test_a_key_is_made_once_and_only_its_owner_reads_it(
    tmp_path: Path, tools_env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, cache = tmp_path / "project", tmp_path / "cache"
    folder.mkdir()
    cache.mkdir()
    env = {name: value for name, value in tools_env.items() if name != "COSIGN_PASSWORD"}
    password = quickstart.signing_key(folder, env, cache)
    assert password not in capsys.readouterr().err
    assert {path.name for path in folder.iterdir()} == {"cosign.key", "cosign.pub"}
    kept = quickstart.password_file(folder / "cosign.pub", cache)
    assert [path.stat().st_mode & 0o777 for path in (folder / "cosign.key", kept)] == [0o600, 0o600]
    key = (folder / "cosign.key").read_text()
    command = ["cosign", "public-key", "--key", str(folder / "cosign.key")]
    opened = subprocess.run(
        command, env={**env, "COSIGN_PASSWORD": password}, check=True, capture_output=True, text=True, timeout=60
    )
    assert opened.stdout.strip() == (folder / "cosign.pub").read_text().strip()

    assert quickstart.signing_key(folder, env, cache) == password
    assert (folder / "cosign.key").read_text() == key
    assert quickstart.signing_key(folder, {**env, "COSIGN_PASSWORD": "theirs"}, cache) == "theirs"

    checkout = tmp_path / "another checkout"
    checkout.mkdir()
    assert quickstart.signing_key(checkout, env, cache) != password
    assert quickstart.signing_key(folder, env, cache) == password, "checkouts on one machine share the cache"

    kept.unlink()
    assert quickstart.signing_key(folder, env, cache) != password
    [aside] = folder.glob("old-*.key")
    assert aside.read_text() == key, "a key whose password is lost here may be somebody's"

    (folder / "cosign.pub").unlink()
    with pytest.raises(SetupError, match="only one of"):
        quickstart.signing_key(folder, env, cache)


def test_the_sample_database_is_used_only_where_the_real_one_is_out_of_reach_and_says_so(
    tmp_path: Path, tools_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quickstart, "_reachable", lambda _: False)
    settings = quickstart.vulnerability_database(tools_env, tmp_path)
    assert settings == {"GRYPE_DB_CACHE_DIR": str(tmp_path / "grype-sample"), "GRYPE_DB_AUTO_UPDATE": "false"}
    assert sample_database.fresh(tmp_path / "grype-sample")
    [line] = capsys.readouterr().err.splitlines()
    assert "real one can't be reached" in line
    assert sample_database.PROVIDER in line

    before = (tmp_path / "grype-sample/6/vulnerability.db").stat()
    quickstart.vulnerability_database(tools_env, tmp_path)
    assert (tmp_path / "grype-sample/6/vulnerability.db").stat().st_mtime_ns == before.st_mtime_ns
    assert "SAMPLE" in capsys.readouterr().err

    def updated(*_: object, **__: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.CompletedProcess([], 0, "", "")

    monkeypatch.setattr(quickstart, "_reachable", lambda _: True)
    monkeypatch.setattr(quickstart, "_run", updated)
    assert quickstart.vulnerability_database(tools_env, tmp_path) == {}
    assert "SAMPLE" not in capsys.readouterr().err


def test_an_address_that_does_not_answer_is_out_of_reach() -> None:
    assert not quickstart._reachable("https://127.0.0.1:1/latest.json")
    assert not quickstart._reachable("file:///etc/passwd")
