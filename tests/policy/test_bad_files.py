"""A folder of files, one a way to be wrong; the first line of each says how it is refused.

`# LINE: PATH: REASON`, and several with ` | ` between them. `-` is the whole file, ` @ FILE` a parent's, and `…`
anything.
"""

import re
import time
from pathlib import Path

import pytest

from sc_secure.errors import ConfigError
from sc_secure.policy.loading import load_security
from sc_secure.policy.problems import InvalidPolicy

FOLDER = Path(__file__).parent / "bad"
FILES = sorted(file.name for file in FOLDER.glob("*.yaml"))


def pattern(name: str, said: str) -> str:
    text, _, file = said.partition(" @ ")
    line, _, rest = text.partition(": ")
    place = file or name
    return re.escape(f"{place}: {rest}" if line == "-" else f"{place}:{line}: {rest}").replace("…", ".*")


@pytest.mark.parametrize("name", FILES)
def test_each_is_refused_with_all_its_problems_and_their_places(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    first = Path(name).read_bytes().splitlines()[0].decode().removeprefix("# ")
    began = time.process_time()
    with pytest.raises(InvalidPolicy) as raised:
        load_security(name)
    assert time.process_time() - began < 10  # a tenth on an idle machine
    assert isinstance(raised.value, ConfigError)
    expected = [pattern(name, said) for said in first.split(" | ")]
    found = raised.value.message.splitlines()
    assert [bool(re.fullmatch(*pair)) for pair in zip(expected, found, strict=True)] == [True] * len(found), found


def test_the_folder_is_there() -> None:
    assert len(FILES) > 50
