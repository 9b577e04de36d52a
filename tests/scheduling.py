"""Which worker of pytest-xdist runs a test: a file with fixtures of its own for all its tests stays whole.

Such a fixture (`scope="module"`) runs a whole Pulumi stack, or builds an image; with the tests of its file on several
workers, each would make it anew. Every other test goes wherever a worker is free. This takes the place of xdist's own
`xdist_group` marks, which xdist 3.8 hands on in a way that pytest 9.2 doesn't read.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from pathlib import Path

    from xdist.remote import Producer

_WHOLE = 'scope="module"'


class WholeFiles(LoadScopeScheduling):
    """xdist's scheduling by scopes, of which the largest come first; most are one test here."""

    def _split_scope(self, nodeid: str) -> str:
        """What has to stay together with this test: its file, or nothing else."""
        file = nodeid.partition("::")[0]
        return file if _stays_whole(self.config.rootpath / file) else nodeid


@cache
def _stays_whole(file: Path) -> bool:
    return _WHOLE in file.read_text()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WholeFiles | None:
    """xdist's hook; None: how tests are spread was said on the command line."""
    return WholeFiles(config, log) if config.getoption("dist") == "load" else None
