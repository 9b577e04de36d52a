"""One run of many does what all need: real processes, real grype, and a server that counts what it is asked for."""

import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devtools import sample_database
from sc_secure.tools.once import lately
from tests.images import push_image


class Databases:
    """Where grype gets its database from: on loopback, and it counts."""

    def __init__(self, folder: Path, built: datetime) -> None:
        served = folder / "v6"
        served.mkdir(parents=True)
        sample_database.build(folder / "vulnerability.db")
        with tarfile.open(served / "database.tar.gz", "w:gz") as archive:
            archive.add(folder / "vulnerability.db", "vulnerability.db")
        checksum = hashlib.sha256((served / "database.tar.gz").read_bytes()).hexdigest()
        latest = {
            "status": "active",
            "schemaVersion": "v6.1.10",
            "built": built.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "path": "database.tar.gz",
            "checksum": f"sha256:{checksum}",
        }
        (served / "latest.json").write_text(json.dumps(latest))
        self.asked: list[str] = []
        asked = self.asked

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments: object) -> None:
                super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

            def do_GET(self) -> None:
                asked.append(self.path)
                time.sleep(2)  # long enough for all to have begun
                super().do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[Databases]:
    databases = Databases(tmp_path / "served", datetime.now(UTC))
    yield databases
    databases.close()


def test_scans_that_begin_at_once_load_the_database_once(
    databases: Databases, tools_env: dict[str, str], registry: str, tmp_path: Path
) -> None:
    images = [
        push_image(tools_env, tmp_path, f"{registry}/once{n}", {"idna": "3.6", "six": f"1.{n}"}) for n in range(4)
    ]
    env = tools_env | {
        "GRYPE_DB_AUTO_UPDATE": "true",
        "GRYPE_DB_UPDATE_URL": databases.url,
        "GRYPE_DB_CACHE_DIR": str(tmp_path / "grype"),
        "SC_SECURE_CACHE": str(tmp_path / "cache"),
        "SC_SECURE_MAX_PARALLEL": "4",
    }
    scanning = [
        subprocess.Popen(
            ["sc-secure", "image", "scan", "--image", image, "--output", "json"],
            cwd=tmp_path,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for image in images
    ]
    for process in scanning:
        printed, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert json.loads(printed)["outputs"]["medium"] == 1
    assert sorted(databases.asked) == ["/v6/database.tar.gz", "/v6/latest.json"]


def test_a_server_that_is_gone_leaves_the_scan_to_say_so(
    databases: Databases, tools_env: dict[str, str], registry: str, tmp_path: Path
) -> None:
    image = push_image(tools_env, tmp_path, f"{registry}/once-gone", {"six": "1.16"})
    databases.close()
    env = tools_env | {
        "GRYPE_DB_AUTO_UPDATE": "true",
        "GRYPE_DB_UPDATE_URL": databases.url,
        "GRYPE_DB_CACHE_DIR": str(tmp_path / "grype"),
        "SC_SECURE_CACHE": str(tmp_path / "cache"),
    }
    command = ["sc-secure", "image", "scan", "--image", image, "--retry-attempts", "1"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert "grype" in done.stderr
    # With a database, it is what the scan goes by.
    shutil.rmtree(tmp_path / "cache")
    sample_database.import_into(shutil.which("grype", path=env["PATH"]) or "", tmp_path / "grype")
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


ASK = """
import sys
from pathlib import Path
from sc_secure.tools.once import lately

def do():
    with open("done", "a") as log:
        log.write("x")
    return True

assert lately({"SC_SECURE_CACHE": "cache"}, "trial", "it", 60, do)
"""


def test_one_process_of_many_does_it(tmp_path: Path) -> None:
    asking = [subprocess.Popen([sys.executable, "-c", ASK], cwd=tmp_path) for _ in range(6)]
    assert [process.wait(timeout=60) for process in asking] == [0] * 6
    assert (tmp_path / "done").read_text() == "x"


def test_it_is_done_again_for_another_thing_and_once_it_is_old(tmp_path: Path) -> None:
    environ, done = {"SC_SECURE_CACHE": str(tmp_path)}, []

    def ask(of: str, seconds: float = 60, well: bool = True) -> bool:
        return lately(environ, "trial", of, seconds, lambda: bool(done.append(of)) or well)

    assert ask("a")
    assert ask("a")
    assert not ask("b", well=False)
    assert not ask("b"), "what went wrong isn't tried by each of many"
    assert done == ["a", "b"]
    assert ask("a", seconds=0)
    assert done == ["a", "b", "a"]
    for stamp in (tmp_path / "once").iterdir():
        os.utime(stamp, (2**32, 2**32))
    assert ask("a")
    assert done == ["a", "b", "a", "a"], "a stamp of the future says nothing"


def test_a_stamp_that_is_rubbish_says_nothing(tmp_path: Path) -> None:
    environ = {"SC_SECURE_CACHE": str(tmp_path)}
    assert lately(environ, "trial", "x", 60, lambda: True)
    for stamp in (tmp_path / "once").iterdir():
        stamp.write_text("perhaps")
    assert not lately(environ, "trial", "x", 60, lambda: False)
