"""The files that hold a program's own credentials: owner-only, and gone with the program, however it ends."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import pytest

import sc_secure
from sc_secure.components._held import held
from sc_secure.components._validate import InvalidArgs
from tests.waiting import wait_until

KEEPER = Path(sc_secure.__file__).parent / "components" / "_keeper.py"
Keeper = subprocess.Popen[str]


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    # A program starts it with `-S` as well, which would keep coverage out of it.
    process = subprocess.Popen(
        [sys.executable, "-I", str(KEEPER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        yield process
        process.kill()


def hold(keeper: Keeper, path: Path, content: str) -> str:
    to, answers = cast(IO[str], keeper.stdin), cast(IO[str], keeper.stdout)
    to.write(json.dumps({"path": str(path), "content": content}) + "\n")
    to.flush()
    return answers.readline()


def test_what_it_holds_is_its_owner_s_alone_and_goes_when_the_input_ends(keeper: Keeper, tmp_path: Path) -> None:
    path = tmp_path / ".sc" / "run" / "dev" / "app.json"
    previous = os.umask(0)
    try:
        assert hold(keeper, path, "first") == "\n"
        assert hold(keeper, path, "second") == "\n"
    finally:
        os.umask(previous)
    assert path.read_text() == "second"
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)] == [0o600, 0o700]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        keeper.send_signal(number)
    assert hold(keeper, path.with_name("other.json"), "x") == "\n", "only its input's end ends it"
    cast(IO[str], keeper.stdin).close()
    assert keeper.wait(10) == 0
    assert [file.name for file in (tmp_path / ".sc").rglob("*") if file.is_file()] == [".gitignore"]
    assert not path.parent.exists()


def test_a_file_that_is_another_program_s_by_now_stays(keeper: Keeper, tmp_path: Path) -> None:
    path = tmp_path / ".sc" / "run" / "dev" / "app.json"
    hold(keeper, path, "mine")
    other = path.with_name("other")
    other.write_text("theirs")
    other.replace(path)
    cast(IO[str], keeper.stdin).close()
    keeper.wait(10)
    assert path.read_text() == "theirs"


def test_a_file_that_can_t_be_written_is_said(keeper: Keeper, tmp_path: Path) -> None:
    (tmp_path / ".sc").write_text("a file")
    assert hold(keeper, tmp_path / ".sc" / "run" / "dev" / "app.json", "x").strip() in {
        "File exists",
        "Not a directory",
    }


def test_of_a_file_that_can_t_be_put_in_its_place_nothing_is_left(keeper: Keeper, tmp_path: Path) -> None:
    """The credentials are in a temporary file by then."""
    path = tmp_path / ".sc" / "run" / "dev" / "app.json"
    path.mkdir(parents=True)
    assert hold(keeper, path, "s3cret") == "Is a directory\n"
    assert list(path.parent.iterdir()) == [path]


PROGRAM = """
import asyncio, signal, sys
from pathlib import Path
from sc_secure.components._held import _started

async def main():
    keeper = await _started()
    print(repr(keeper.hold(Path(sys.argv[1]), "content")), flush=True)
    await asyncio.sleep(60)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job inherits that it is ignored
asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_is_gone_after_the_program_was_killed(number: int, tmp_path: Path) -> None:
    path = tmp_path / "run" / "dev" / "app.json"
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert cast(IO[str], program.stdout).readline() == "''\n"
    assert path.read_text() == "content"
    os.killpg(program.pid, number)
    program.communicate()
    wait_until(lambda: not path.exists())


def test_a_password_without_a_user_is_refused() -> None:
    given: Any = {"registry": {"server": "r.example", "password": "s3cret"}}
    with pytest.raises(InvalidArgs, match=r"registry\.username: missing: whose the password is") as error:
        held("SecuredImage", "app", given, None)
    assert "s3cret" not in str(error.value)
    assert held("SecuredImage", "app", {"registry": {"server": "r.example"}}, None) is None
    assert held("SecuredImage", "app", {}, None) is None
